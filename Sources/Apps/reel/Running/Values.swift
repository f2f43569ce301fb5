import CommandLayer
import Reelwright

/// The written forms of CLI values.
enum Values {
  /// `320x`, `x240` or `320x240`; a free side is 0.
  static func size(_ text: String, option: String) throws(MediaError) -> FrameSize {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let sides = parts.map { $0.isEmpty ? 0 : Int($0) ?? -1 }
    guard parts.count == 2, sides.allSatisfy({ (0...65_536).contains($0) }), sides.contains(where: { $0 > 0 }) else {
      throw MediaError(.usage, "bad option --\(option)", reason: "'\(text)' is not a size", advice: "as in 320x240, 320x or x240")
    }
    return FrameSize(sides[0], sides[1])
  }

  /// `A..B`, half-open; either side may be left out.
  static func range(_ text: String, option: String) throws(MediaError) -> (start: TimePosition?, end: TimePosition?) {
    guard let dots = text.range(of: "..") else {
      throw MediaError(.usage, "bad option --\(option)", reason: "'\(text)' is not a range", advice: "as in 2s..5.5s, ..10 or 3..")
    }
    let first = text[..<dots.lowerBound]
    let last = text[dots.upperBound...]
    return (
      first.isEmpty ? nil : try Invocation.position(first, "bad option --\(option)"),
      last.isEmpty ? nil : try Invocation.position(last, "bad option --\(option)")
    )
  }

  /// `5M`, `800k` or bits a second.
  static func bitRate(_ text: String, option: String) throws(MediaError) -> Int64 {
    let scale: Int64 = text.hasSuffix("M") ? 1_000_000 : text.hasSuffix("k") ? 1000 : 1
    guard let number = Rational.decimal(scale == 1 ? text[...] : text.dropLast()), number.isPositive, number < Rational(1_000_000_000)
    else {
      throw MediaError(.usage, "bad option --\(option)", reason: "'\(text)' is not a bit rate", advice: "as in 5M, 800k or 5000000")
    }
    let rate = (number * Rational(scale)).rounded
    guard rate >= 1000 else {
      throw MediaError(.usage, "bad option --\(option)", reason: "\(rate) bits a second are too few", advice: "as in \(text)k, or 5M")
    }
    return rate
  }

  static func frameRate(_ text: String, option: String) throws(MediaError) -> Rational {
    guard let rate = Rational(text), rate.isPositive, rate < Rational(1001) else {
      throw MediaError(.usage, "bad option --\(option)", reason: "'\(text)' is not a frame rate", advice: "as in 30, 29.97 or 30000/1001")
    }
    return rate
  }
}

extension String {
  /// The first place where `text` stands.
  func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
