/// A limit on a rate: `rate` tokens come in a second, `burst` at most are saved. Time is handed in, so that it can be tested.
public struct TokenBucket: Sendable {
  public let rate: Double
  public let burst: Double
  private var tokens: Double
  private var lastMicroseconds: Int64?

  /// Starts full.
  public init(rate: Double, burst: Double) {
    precondition(rate > 0 && burst >= 1, "a bucket has a rate above 0 and room for 1")
    self.rate = rate
    self.burst = burst
    tokens = burst
  }

  /// Tokens that can be taken at `now`; a clock that went back brings none and takes none away.
  public mutating func available(now: Int64) -> Double {
    if let last = lastMicroseconds, now > last { tokens = min(burst, tokens + Double(now - last) / 1_000_000 * rate) }
    lastMicroseconds = now
    return tokens
  }

  /// Takes `count` tokens, which `available` has shown to be there.
  public mutating func take(_ count: Double) { tokens -= count }

  /// Seconds until `count` tokens (at most `burst`) are there.
  public func seconds(until count: Double) -> Double { max(0, (min(count, burst) - tokens) / rate) }
}
