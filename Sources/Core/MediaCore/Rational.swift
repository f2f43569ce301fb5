/// An exact fraction, always reduced and with a positive denominator.
///
/// Used for time bases, frame rates and aspect ratios. Arithmetic widens to 128 bits, so the only
/// operation that can fail is narrowing a result that has no 64-bit form; such a result is clamped to the
/// nearest representable fraction with the same sign.
public struct Rational: Hashable, Sendable, Codable {
  public let numerator: Int64
  public let denominator: Int64

  /// A fraction in lowest terms. A zero denominator gives 0/1, the form FFmpeg's "unknown" takes here.
  public init(_ numerator: Int64, _ denominator: Int64 = 1) {
    self.init(wide: Int128(numerator), Int128(denominator))
  }

  init(wide numerator: Int128, _ denominator: Int128) {
    guard denominator != 0 else {
      self.numerator = 0
      self.denominator = 1
      return
    }
    var n = denominator < 0 ? -numerator : numerator
    var d = denominator < 0 ? -denominator : denominator
    let divisor = Rational.gcd(n < 0 ? -n : n, d)
    if divisor > 1 {
      n /= divisor
      d /= divisor
    }
    while n > Int128(Int64.max) || n < Int128(Int64.min) || d > Int128(Int64.max) {
      n /= 2
      d = max(1, d / 2)
    }
    self.numerator = Int64(n)
    self.denominator = Int64(d)
  }

  static func gcd(_ a: Int128, _ b: Int128) -> Int128 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }

  public static let zero = Rational(0, 1)

  public var doubleValue: Double { Double(numerator) / Double(denominator) }
  public var isPositive: Bool { numerator > 0 }

  /// 1/x; 0 stays 0.
  public var reciprocal: Rational { Rational(denominator, numerator) }

  public static func * (a: Rational, b: Rational) -> Rational {
    Rational(
      wide: Int128(a.numerator) * Int128(b.numerator), Int128(a.denominator) * Int128(b.denominator))
  }

  public static func / (a: Rational, b: Rational) -> Rational { a * b.reciprocal }

  public static func + (a: Rational, b: Rational) -> Rational {
    Rational(
      wide: Int128(a.numerator) * Int128(b.denominator) + Int128(b.numerator) * Int128(a.denominator),
      Int128(a.denominator) * Int128(b.denominator))
  }

  public static func - (a: Rational, b: Rational) -> Rational { a + Rational(-b.numerator, b.denominator) }

  /// The whole number nearest to the fraction; halves go away from zero.
  public var rounded: Int64 {
    let n = Int128(numerator) * 2 + (numerator < 0 ? -1 : 1) * Int128(denominator)
    return Int64(clamping: n / (Int128(denominator) * 2))
  }

  /// The greatest whole number that is not above the fraction.
  public var floor: Int64 {
    let q = numerator / denominator
    return numerator % denominator < 0 ? q - 1 : q
  }
}

extension Rational: Comparable {
  public static func < (a: Rational, b: Rational) -> Bool {
    Int128(a.numerator) * Int128(b.denominator) < Int128(b.numerator) * Int128(a.denominator)
  }
}

extension Rational: CustomStringConvertible {
  /// `"30000/1001"`.
  public var description: String { "\(numerator)/\(denominator)" }

  /// Reads `"30000/1001"`, `"30"` and `"29.97"` (as the exact decimal fraction); nil for anything else.
  public init?(_ text: some StringProtocol) {
    if let slash = text.firstIndex(of: "/") {
      guard let n = Int64(text[..<slash]), let d = Int64(text[text.index(after: slash)...]), d > 0 else {
        return nil
      }
      self.init(n, d)
      return
    }
    guard let value = Rational.decimal(text) else { return nil }
    self = value
  }

  /// Reads a decimal number with at most 18 digits in all: `"12"`, `"-0.5"`, `".25"`.
  public static func decimal(_ text: some StringProtocol) -> Rational? {
    var negative = false
    var digits: Int64 = 0
    var scale: Int64 = 1
    var count = 0
    var seenPoint = false
    for (offset, character) in text.utf8.enumerated() {
      switch character {
      case UInt8(ascii: "-") where offset == 0: negative = true
      case UInt8(ascii: "+") where offset == 0: break
      case UInt8(ascii: ".") where !seenPoint: seenPoint = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        count += 1
        guard count <= 18 else { return nil }
        digits = digits * 10 + Int64(character - UInt8(ascii: "0"))
        if seenPoint { scale *= 10 }
      default: return nil
      }
    }
    return count == 0 ? nil : Rational(negative ? -digits : digits, scale)
  }
}
