/// A position in a video as people write it: a time, or the n-th frame in presentation order.
///
/// Written `1.5`, `1.5s`, `250ms`, `00:01:02.500` or `45f`. Frame numbers count from 0 and mean the frame
/// itself, so they stay exact on variable-frame-rate media.
public enum TimePosition: Hashable, Sendable, Codable {
  case time(MediaTime)
  case frame(Int)

  /// Parses the written form; nil when it is none of the accepted ones. Negative times parse (callers decide
  /// what they mean); NaN, infinities and negative frame numbers do not.
  public init?(_ text: some StringProtocol) {
    if text.hasSuffix("ms") {
      guard let value = Rational.decimal(text.dropLast(2)) else { return nil }
      self = .time(MediaTime(value / Rational(1000)))
    } else if text.hasSuffix("f") {
      guard let value = Int(text.dropLast()), value >= 0 else { return nil }
      self = .frame(value)
    } else if text.contains(":") {
      guard let value = TimePosition.clock(text) else { return nil }
      self = .time(value)
    } else {
      guard let value = Rational.decimal(text.hasSuffix("s") ? text.dropLast() : text[...]) else { return nil }
      self = .time(MediaTime(value))
    }
  }

  /// `[[h:]m:]s[.fraction]`, minutes and seconds below 60 where a larger unit stands before them.
  private static func clock(_ text: some StringProtocol) -> MediaTime? {
    let negative = text.hasPrefix("-")
    let parts = (negative ? text.dropFirst() : text[...]).split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let last = parts.last,
      let seconds = Rational.decimal(last), seconds >= .zero, seconds < Rational(60), !last.hasPrefix("+")
    else { return nil }
    var total: Int64 = 0
    for (index, part) in parts.dropLast().enumerated() {
      guard let value = Int64(part), value >= 0, value < 1_000_000, index == 0 || value < 60 else { return nil }
      total = total * 60 + value
    }
    let value = Rational(total * 60) + seconds
    return MediaTime(negative ? .zero - value : value)
  }
}
