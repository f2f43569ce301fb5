internal import Crypto

/// The pauses after failed requests: each up to twice as long as the one before, with full jitter (AWS Architecture Blog, "Exponential
/// Backoff And Jitter"). Use on one thread at a time.
struct RetryPause {
  private let first: Double
  private let longest: Double
  private var next: Double
  private var notBefore: Int64 = 0

  /// Seconds of the first and the longest pause.
  init(first: Double, longest: Double) {
    (self.first, self.longest, next) = (first, longest, first)
  }

  /// Seconds that are left of a pause; nil when there is none.
  mutating func remaining(now: Int64) -> Double? {
    // A clock that was set back must not turn a pause of seconds into one of years.
    if notBefore > now, notBefore - now <= 86_400_000_000 { return Double(notBefore - now) / 1_000_000 }
    notBefore = 0
    return nil
  }

  /// Begins a pause, of `least` seconds more where the other side asks for it.
  /// - Returns: its length in seconds.
  mutating func begin(now: Int64, least: Double?) -> Double {
    let jitter = Double(SecureRandom.uniform(below: 1001)) / 1000
    let seconds = max(least ?? 0, 0) + max(0.05, next * jitter)
    next = min(next * 2, longest)
    notBefore = now + Int64(seconds * 1_000_000)
    return seconds
  }

  /// After a success the next pause is the first again.
  mutating func reset() { next = first }
}
