import MediaCore
import Testing

@testable import Crypto

struct CipherTests {
  private static let sunscreen = Array(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.".utf8)

  @Test("RFC 8439 appendix A.1, vectors 1 to 3")
  func chachaBlocks() throws {
    let zero = SecretBytes([UInt8](repeating: 0, count: 32))
    #expect(
      Hex.encode(ChaCha20.keystream(key: zero, byteCount: 128))
        == "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        + "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        + "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f")
    var one = [UInt8](repeating: 0, count: 32)
    one[31] = 1
    #expect(
      Hex.encode(ChaCha20.keystream(key: SecretBytes(one), counter: 1, byteCount: 64))
        == "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
        + "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0")
  }

  @Test("RFC 8439 section 2.4.2")
  func chachaEncryption() throws {
    let stream = ChaCha20.keystream(
      key: SecretBytes((0..<32).map { UInt8($0) }), nonce: try #require(Hex.decode("000000000000004a00000000")), counter: 1,
      byteCount: Self.sunscreen.count)
    #expect(
      Hex.encode(zip(Self.sunscreen, stream).map { $0 ^ $1 })
        == "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
        + "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
        + "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
        + "5af90bbf74a35be6b40b8eedf2785e42874d")
  }

  @Test("draft-irtf-cfrg-xchacha-03 appendix A.3.1")
  func xchacha() throws {
    let key = SecretBytes((0x80..<0xA0).map { UInt8($0) })
    let nonce = (0x40..<0x58).map { UInt8($0) }
    let data = try #require(Hex.decode("50515253c0c1c2c3c4c5c6c7"))
    let sealed = SealedPayload.seal(Self.sunscreen, key: key, associatedData: data, nonce: nonce)
    #expect(
      Hex.encode(sealed.dropFirst(24))
        == "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        + "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        + "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        + "21f9664c97637da9768812f615c68b13b52e" + "c0875924c1c7987947deafd8780acf49")
    #expect(try SealedPayload.open(sealed, key: key, associatedData: data) == Self.sunscreen)
  }

  @Test("every single bit of a sealed payload matters")
  func tampering() throws {
    let key = SecretBytes(randomByteCount: 32)
    let sealed = SealedPayload.seal([1, 2, 3], key: key, associatedData: [9])
    for bit in 0..<(sealed.count * 8) {
      var changed = sealed
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      let error = #expect(throws: MediaError.self) { try SealedPayload.open(changed, key: key, associatedData: [9]) }
      #expect(error?.code == .damaged)
    }
    #expect(throws: MediaError.self) { try SealedPayload.open(sealed, key: key, associatedData: []) }
    #expect(throws: MediaError.self) { try SealedPayload.open(sealed, key: SecretBytes(randomByteCount: 32), associatedData: [9]) }
    #expect(throws: MediaError.self) { try SealedPayload.open([], key: key) }
    #expect(try SealedPayload.open(SealedPayload.seal([], key: key), key: key) == [])
  }

  @Test func sealedBox() throws {
    let pair = SealedBox.KeyPair()
    let again = try #require(SealedBox.KeyPair(seed: pair.seed))
    let sealed = try #require(SealedBox.seal(Self.sunscreen, for: pair.publicKey))
    #expect(try again.open(sealed) == Self.sunscreen)
    #expect(throws: MediaError.self) { try SealedBox.KeyPair().open(sealed) }
    #expect(throws: MediaError.self) { try pair.open(Array(sealed.dropLast())) }
    #expect(throws: MediaError.self) { try pair.open([1, 2]) }
    #expect(SealedBox.seal([1], for: [1, 2, 3]) == nil)
  }
}
