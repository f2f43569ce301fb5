internal import CSodium

/// Ed25519 signatures (RFC 8032).
public enum Ed25519 {
  /// A private key.
  public struct SigningKey: Sendable {
    /// The 32-byte seed that is stored.
    public let seed: SecretBytes
    public let verifyingKey: VerifyingKey
    private let expanded: SecretBytes

    /// A fresh key.
    public init() { self.init(seed: SecretBytes(randomByteCount: 32))! }

    /// The key of a seed; nil unless it has 32 bytes.
    public init?(seed: SecretBytes) {
      requireSodium()
      guard seed.count == 32 else { return nil }
      var publicKey = [UInt8](repeating: 0, count: 32)
      var secretKey = [UInt8](repeating: 0, count: 64)
      _ = seed.withPointer { crypto_sign_ed25519_seed_keypair(&publicKey, &secretKey, $0) }
      self.seed = seed
      expanded = SecretBytes(secretKey)
      SecretBytes.wipe(&secretKey)
      verifyingKey = VerifyingKey(trusted: publicKey)
    }

    /// The 64-byte signature of `message`; the same for the same message.
    public func signature(for message: [UInt8]) -> [UInt8] {
      var signature = [UInt8](repeating: 0, count: 64)
      _ = expanded.withPointer { crypto_sign_ed25519_detached(&signature, nil, message, UInt64(message.count), $0) }
      return signature
    }
  }

  /// A public key.
  public struct VerifyingKey: Hashable, Sendable {
    public let bytes: [UInt8]

    init(trusted bytes: [UInt8]) { self.bytes = bytes }

    /// A key received from elsewhere; nil unless it has 32 bytes.
    public init?(bytes: [UInt8]) {
      guard bytes.count == 32 else { return nil }
      self.bytes = bytes
    }

    /// Whether `signature` is this key's signature of `message`. Keys of small order are refused.
    public func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
      requireSodium()
      guard signature.count == 64 else { return false }
      return crypto_sign_ed25519_verify_detached(signature, message, UInt64(message.count), bytes) == 0
    }
  }
}
