internal import Glibc

/// The time of day, replaceable in tests. Called from any thread.
public protocol WallClock: Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  func microseconds() -> Int64
}

/// The machine's clock.
public struct SystemClock: WallClock {
  public init() {}

  public func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// Times as text (RFC 3339, UTC).
enum Timestamp {
  /// `2026-01-02T03:04:05.000006Z`.
  static func text(_ microseconds: Int64) -> String {
    var seconds = time_t(microseconds.quotientFloor(1_000_000))
    let fraction = microseconds - Int64(seconds) * 1_000_000
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return padded(Int64(parts.tm_year) + 1900, 4) + "-" + padded(Int64(parts.tm_mon) + 1, 2) + "-" + padded(Int64(parts.tm_mday), 2) + "T"
      + padded(Int64(parts.tm_hour), 2) + ":" + padded(Int64(parts.tm_min), 2) + ":" + padded(Int64(parts.tm_sec), 2) + "."
      + padded(fraction, 6) + "Z"
  }
}

extension Int64 {
  /// The quotient rounded towards minus infinity, so that buckets of time before 1970 have the same width.
  func quotientFloor(_ divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
