/// A point in time or a span of time in seconds, exact.
///
/// A wrapper of `Rational` that cannot be mistaken for a frame rate. Timestamps in FFmpeg's sense
/// (`ticks × timeBase`) convert without loss.
public struct MediaTime: Hashable, Sendable, Comparable {
  /// The exact value in seconds.
  public let seconds: Rational

  public init(_ seconds: Rational) { self.seconds = seconds }

  /// `ticks` units of `timeBase` seconds.
  public init(ticks: Int64, timeBase: Rational) {
    seconds = Rational(
      wide: Int128(ticks) * Int128(timeBase.numerator), Int128(timeBase.denominator))
  }

  /// The nearest microsecond to a floating point value; NaN and infinities give zero, what lies beyond 292,000 years gives that.
  public init(seconds: Double) {
    let microseconds = seconds.isFinite ? max(-9.2e18, min(9.2e18, (seconds * 1e6).rounded())) : 0
    self.init(Rational(Int64(microseconds), 1_000_000))
  }

  public static let zero = MediaTime(.zero)

  public var doubleValue: Double { seconds.doubleValue }

  /// The time in units of `timeBase`, rounded to the nearest, halves away from zero.
  public func ticks(in timeBase: Rational) -> Int64 { (seconds / timeBase).rounded }

  /// The time in units of `timeBase`, rounded down.
  public func ticksRoundedDown(in timeBase: Rational) -> Int64 { (seconds / timeBase).floor }

  public static func < (a: MediaTime, b: MediaTime) -> Bool { a.seconds < b.seconds }
  public static func + (a: MediaTime, b: MediaTime) -> MediaTime { MediaTime(a.seconds + b.seconds) }
  public static func - (a: MediaTime, b: MediaTime) -> MediaTime { MediaTime(a.seconds - b.seconds) }
  public static func * (a: MediaTime, b: Rational) -> MediaTime { MediaTime(a.seconds * b) }
  public static func / (a: MediaTime, b: Rational) -> MediaTime { MediaTime(a.seconds / b) }
}

extension MediaTime: CustomStringConvertible {
  /// Seconds with millisecond precision: `"1.500s"`.
  public var description: String {
    let milliseconds = (seconds * Rational(1000)).rounded
    let magnitude = milliseconds.magnitude
    let fraction = String(magnitude % 1000)
    return (milliseconds < 0 ? "-" : "") + "\(magnitude / 1000)."
      + String(repeating: "0", count: 3 - fraction.count) + fraction + "s"
  }
}

extension MediaTime: Codable {
  public init(from decoder: any Decoder) throws { seconds = try Rational(from: decoder) }
  public func encode(to encoder: any Encoder) throws { try seconds.encode(to: encoder) }
}

/// A half-open span of time: `start` inclusive, `end` exclusive. `end == nil` means "to the end of the media".
public struct TimeRange: Hashable, Sendable, Codable {
  public var start: MediaTime
  public var end: MediaTime?

  public init(start: MediaTime = .zero, end: MediaTime? = nil) {
    self.start = start
    self.end = end
  }

  /// The length, where the end is known.
  public var duration: MediaTime? { end.map { $0 - start } }

  public func contains(_ time: MediaTime) -> Bool {
    if let end { return time >= start && time < end }
    return time >= start
  }
}
