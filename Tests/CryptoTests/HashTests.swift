import Glibc
import MediaCore
import Testing

@testable import Crypto

struct HashTests {
  @Test(
    "FIPS 180-4 examples",
    arguments: [
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func sha256(text: String, times: Int, expected: String) {
    #expect(SHA256.digest(of: String(repeating: text, count: times)).hex == expected)
  }

  @Test("pieces of any size give the digest of the whole")
  func sha256InPieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let whole = SHA256.digest(of: bytes)
    for size in [1, 7, 63, 64, 65, 999] {
      var hash = SHA256()
      var start = 0
      while start < bytes.count {
        hash.update(Array(bytes[start..<min(start + size, bytes.count)]))
        start += size
      }
      #expect(hash.finish() == whole)
    }
  }

  @Test("a file is hashed from its start, whatever its own offset")
  func sha256OfDescriptor() throws {
    let bytes = (0..<(3 << 20) + 17).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    var template = Array("/tmp/reelwright-hash-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    unlink(template)
    defer { close(descriptor) }
    #expect(bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count)
    #expect(try SHA256.digest(ofDescriptor: descriptor) == SHA256.digest(of: bytes))
    #expect(try SHA256.digest(ofDescriptor: descriptor, byteCount: 5) == SHA256.digest(of: Array(bytes.prefix(5))))
    #expect(lseek(descriptor, 0, SEEK_CUR) == bytes.count)
    let error = #expect(throws: MediaError.self) {
      try SHA256.digest(ofDescriptor: descriptor, byteCount: Int64(bytes.count) + 1, name: "x.mp4")
    }
    #expect(error?.code == .incomplete)
    let cancellation = Cancellation()
    cancellation.cancel()
    #expect(throws: MediaError.self) { try SHA256.digest(ofDescriptor: descriptor, cancellation: cancellation) }
  }

  @Test("RFC 7693 appendix A")
  func blake2b() {
    #expect(
      Hex.encode(BLAKE2b.digest(of: Array("abc".utf8), byteCount: 64))
        == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")
  }

  @Test("keyed BLAKE2b equals the published known answer, and any change is noticed")
  func blake2bKeyed() {
    // BLAKE2 reference known-answer test: key 00…3f, input 00 01 02.
    let key = SecretBytes((0..<64).map { UInt8($0) })
    let code = BLAKE2b.digest(of: [0, 1, 2], key: key, byteCount: 64)
    #expect(
      Hex.encode(code)
        == "33d0825dddf7ada99b0e7e307104ad07ca9cfd9692214f1561356315e784f3e5"
        + "a17e364ae9dbb14cb2036df932b77f4b292761365fb328de7afdc6d8998f5fc1")
    #expect(BLAKE2b.isValid(code, for: [0, 1, 2], key: key))
    #expect(!BLAKE2b.isValid(code, for: [0, 1, 3], key: key))
    #expect(!BLAKE2b.isValid([], for: [0, 1, 2], key: key))
  }

  @Test(
    "RFC 4231",
    arguments: [
      (
        String(repeating: "0b", count: 20), "4869205468657265",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        String(repeating: "aa", count: 131), Hex.encode("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
    ])
  func hmac(key: String, message: String, expected: String) throws {
    let keyBytes = try #require(Hex.decode(key))
    let secret = SecretBytes(keyBytes)
    let bytes = try #require(Hex.decode(message))
    #expect(Hex.encode(HMACSHA256.code(for: bytes, key: secret)) == expected)
    let code = try #require(Hex.decode(expected))
    #expect(HMACSHA256.isValid(code, for: bytes, key: secret))
    #expect(!HMACSHA256.isValid(code, for: bytes + [0], key: secret))
  }

  @Test func digestText() throws {
    let digest = SHA256.digest(of: "abc")
    #expect(SHA256Digest(hex: digest.hex.uppercased()) == digest)
    #expect(SHA256Digest(hex: String(digest.hex.dropLast())) == nil)
    #expect(SHA256Digest(hex: digest.hex + "00") == nil)
    #expect(SHA256Digest(hex: "g" + digest.hex.dropFirst()) == nil)
  }
}
