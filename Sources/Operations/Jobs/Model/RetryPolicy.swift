/// When a failed job is tried again: exponential backoff with full jitter, which spreads a herd of failures best
/// (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
public struct RetryPolicy: Hashable, Sendable, Codable {
  /// Attempts in all, the first included. Default 5.
  public var attempts = 5
  /// Upper bound of the first delay in seconds. Default 1.
  public var baseSeconds = 1.0
  /// Upper bound of every delay in seconds. Default 300.
  public var capSeconds = 300.0

  public init(attempts: Int = 5, baseSeconds: Double = 1, capSeconds: Double = 300) {
    self.attempts = attempts
    self.baseSeconds = baseSeconds
    self.capSeconds = capSeconds
  }

  /// Microseconds to wait after attempt number `attempt` (1, 2, …) failed: uniform in 0 ... min(cap, base · 2^(attempt − 1)).
  public func delayMicroseconds(after attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
    let doubled = baseSeconds * Double(UInt64(1) << UInt64(min(max(0, attempt - 1), 40)))
    let bound = max(0, min(capSeconds, doubled))
    return Int64(Double.random(in: 0...bound, using: &generator) * 1e6)
  }
}
