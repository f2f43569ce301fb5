internal import CSodium

/// HMAC-SHA-256 (RFC 2104).
public enum HMACSHA256 {
  /// The 32-byte authentication code of `bytes` under a key of any length.
  public static func code(for bytes: [UInt8], key: SecretBytes) -> [UInt8] {
    requireSodium()
    var state = crypto_auth_hmacsha256_state()
    var code = [UInt8](repeating: 0, count: 32)
    _ = key.withPointer { crypto_auth_hmacsha256_init(&state, $0, key.count) }
    crypto_auth_hmacsha256_update(&state, bytes, UInt64(bytes.count))
    crypto_auth_hmacsha256_final(&state, &code)
    withUnsafeMutableBytes(of: &state) { sodium_memzero($0.baseAddress!, $0.count) }
    return code
  }

  /// Whether `code` authenticates `bytes`; constant time.
  public static func isValid(_ code: [UInt8], for bytes: [UInt8], key: SecretBytes) -> Bool {
    constantTimeEquals(self.code(for: bytes, key: key), code)
  }
}
