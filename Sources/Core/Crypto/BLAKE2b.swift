internal import CSodium

/// BLAKE2b (RFC 7693): a hash and, with a key, a message authentication code.
public enum BLAKE2b {
  /// The digest of `bytes`.
  ///
  /// - Parameters:
  ///   - key: up to 64 bytes; makes the digest an authentication code. Default nil: a plain hash.
  ///   - byteCount: length of the digest, 16…64. Default 32.
  public static func digest(of bytes: [UInt8], key: SecretBytes? = nil, byteCount: Int = 32) -> [UInt8] {
    requireSodium()
    precondition((16...64).contains(byteCount), "a digest has 16 to 64 bytes")
    precondition((key?.count ?? 0) <= 64, "a key has at most 64 bytes")
    var digest = [UInt8](repeating: 0, count: byteCount)
    let status =
      if let key {
        key.withPointer { crypto_generichash(&digest, byteCount, bytes, UInt64(bytes.count), $0, key.count) }
      } else {
        crypto_generichash(&digest, byteCount, bytes, UInt64(bytes.count), nil, 0)
      }
    precondition(status == 0)
    return digest
  }

  /// Whether `code` is the keyed digest of `bytes`; constant time.
  public static func isValid(_ code: [UInt8], for bytes: [UInt8], key: SecretBytes) -> Bool {
    guard (16...64).contains(code.count) else { return false }
    return constantTimeEquals(digest(of: bytes, key: key, byteCount: code.count), code)
  }
}
