internal import CSodium
public import MediaCore

/// Data encrypted and authenticated under a key: XChaCha20-Poly1305 with a random 192-bit nonce in front
/// (draft-irtf-cfrg-xchacha-03), 40 bytes longer than the plaintext.
public enum SealedPayload {
  /// Bytes added to the plaintext: 24 of nonce and 16 of tag.
  public static let overheadByteCount = 40

  /// Encrypts `plaintext`. `associatedData` is authenticated and must be given again to open. `key` has 32 bytes.
  public static func seal(_ plaintext: [UInt8], key: SecretBytes, associatedData: [UInt8] = []) -> [UInt8] {
    seal(plaintext, key: key, associatedData: associatedData, nonce: SecureRandom.bytes(24))
  }

  static func seal(_ plaintext: [UInt8], key: SecretBytes, associatedData: [UInt8], nonce: [UInt8]) -> [UInt8] {
    requireSodium()
    precondition(key.count == 32 && nonce.count == 24, "a payload key has 32 bytes")
    var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
    var count: UInt64 = 0
    _ = key.withPointer {
      crypto_aead_xchacha20poly1305_ietf_encrypt(
        &sealed, &count, plaintext, UInt64(plaintext.count), associatedData, UInt64(associatedData.count), nil, nonce, $0)
    }
    return nonce + sealed
  }

  /// Decrypts what `seal` made; throws `damaged` when a bit, the key or the associated data differ.
  public static func open(_ sealed: [UInt8], key: SecretBytes, associatedData: [UInt8] = []) throws(MediaError) -> [UInt8] {
    requireSodium()
    precondition(key.count == 32, "a payload key has 32 bytes")
    let failure = MediaError(.damaged, "cannot open sealed data", reason: "it was changed, or this is not its key")
    guard sealed.count >= overheadByteCount else { throw failure }
    let nonce = Array(sealed.prefix(24))
    let body = Array(sealed.dropFirst(24))
    var plaintext = [UInt8](repeating: 0, count: body.count - 16)
    var count: UInt64 = 0
    let status = key.withPointer {
      crypto_aead_xchacha20poly1305_ietf_decrypt(
        &plaintext, &count, nil, body, UInt64(body.count), associatedData, UInt64(associatedData.count), nonce, $0)
    }
    guard status == 0 else { throw failure }
    return plaintext
  }
}
