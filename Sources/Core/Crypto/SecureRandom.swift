internal import CSodium

/// Unpredictable numbers from the kernel (`getrandom` through libsodium). Safe on every thread and after fork.
public enum SecureRandom {
  /// `count` random bytes.
  public static func bytes(_ count: Int) -> [UInt8] {
    requireSodium()
    var bytes = [UInt8](repeating: 0, count: count)
    if count > 0 { randombytes_buf(&bytes, count) }
    return bytes
  }

  /// A number from all 64-bit numbers.
  public static func uint64() -> UInt64 {
    bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number from 0 up to, not including, `bound`; every one equally likely. `bound` ≥ 1.
  public static func uniform(below bound: UInt32) -> UInt32 {
    requireSodium()
    precondition(bound > 0, "the bound is at least 1")
    return randombytes_uniform(bound)
  }
}
