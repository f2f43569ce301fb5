internal import CSodium
public import MediaCore

/// Data that anyone may encrypt for the owner of a key pair and only the owner can read: libsodium's sealed box
/// (X25519, XSalsa20-Poly1305, an ephemeral key each time).
public enum SealedBox {
  /// The receiver's keys.
  public struct KeyPair: Sendable {
    /// 32 bytes, to be given to senders.
    public let publicKey: [UInt8]
    /// The 32-byte seed that is stored.
    public let seed: SecretBytes
    private let secretKey: SecretBytes

    /// A fresh pair.
    public init() { self.init(seed: SecretBytes(randomByteCount: 32))! }

    /// The pair of a seed; nil unless it has 32 bytes.
    public init?(seed: SecretBytes) {
      requireSodium()
      guard seed.count == 32 else { return nil }
      var publicKey = [UInt8](repeating: 0, count: 32)
      var secretKey = publicKey
      _ = seed.withPointer { crypto_box_seed_keypair(&publicKey, &secretKey, $0) }
      self.publicKey = publicKey
      self.seed = seed
      self.secretKey = SecretBytes(secretKey)
      SecretBytes.wipe(&secretKey)
    }

    /// Decrypts what was sealed for this pair; throws `damaged` for anything else.
    public func open(_ sealed: [UInt8]) throws(MediaError) -> [UInt8] {
      let failure = MediaError(.damaged, "cannot open a sealed box", reason: "it was changed, or sealed for another key")
      guard sealed.count >= 48 else { throw failure }
      var plaintext = [UInt8](repeating: 0, count: sealed.count - 48)
      let status = secretKey.withPointer { crypto_box_seal_open(&plaintext, sealed, UInt64(sealed.count), publicKey, $0) }
      guard status == 0 else { throw failure }
      return plaintext
    }
  }

  /// Encrypts `plaintext` for the owner of `publicKey`; nil when that is not a usable key.
  public static func seal(_ plaintext: [UInt8], for publicKey: [UInt8]) -> [UInt8]? {
    requireSodium()
    guard publicKey.count == 32 else { return nil }
    var sealed = [UInt8](repeating: 0, count: plaintext.count + 48)
    return crypto_box_seal(&sealed, plaintext, UInt64(plaintext.count), publicKey) == 0 ? sealed : nil
  }
}
