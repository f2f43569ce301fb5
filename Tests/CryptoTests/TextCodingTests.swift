import Testing

@testable import Crypto

struct TextCodingTests {
  @Test(
    "RFC 4648 section 10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func base64(plain: String, encoded: String) {
    #expect(Base64.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(plain.utf8))
    let url = String(encoded.filter { $0 != "=" })
    #expect(Base64.encode(Array(plain.utf8), .url) == url)
    #expect(Base64.decode(url, .url) == Array(plain.utf8))
  }

  @Test("both alphabets, every byte")
  func base64Alphabets() {
    let bytes = (0...255).map { UInt8($0) }
    #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
    #expect(Base64.encode([0xFB, 0xFF], .url) == "-_8")
    #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    #expect(Base64.decode(Base64.encode(bytes, .url), .url) == bytes)
  }

  @Test("every other spelling is refused", arguments: ["Zg", "Zg=", "Zh==", "Z===", "Zg==Zg==", "Zm9 ", "-_8=", "Zm9v=", "===="])
  func base64Malformed(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test func hex() {
    #expect(Hex.encode([0, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
    #expect(Hex.decode("000FA0ff") == [0, 0x0F, 0xA0, 0xFF])
    #expect(Hex.decode("0") == nil)
    #expect(Hex.decode("0x") == nil)
  }
}
