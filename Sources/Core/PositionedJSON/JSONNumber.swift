public import MediaCore

/// A number as it stands in the document, without rounding.
public struct JSONNumber: Hashable, Sendable {
  /// The literal, in JSON's grammar.
  public let text: String

  /// Takes a literal in JSON's grammar; the parser and the writer make these.
  init(literal: String) { text = literal }

  /// The exact value; nil when it has no form with 64-bit numerator and denominator (more than 18 significant
  /// digits, or an exponent out of reach).
  public var exact: Rational? {
    let parts = text.utf8.split(maxSplits: 1) { $0 | 0x20 == UInt8(ascii: "e") }
    guard let mantissa = parts.first else { return nil }
    var digits = mantissa.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
    var power = mantissa.firstIndex(of: UInt8(ascii: ".")).map { -(mantissa.distance(from: $0, to: mantissa.endIndex) - 1) } ?? 0
    // Zeros at the end are no digits of precision: 1.500000000000000000000 is exact.
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      power += 1
    }
    digits.trimPrefix { $0 == UInt8(ascii: "0") }
    guard !digits.isEmpty else { return .zero }
    if parts.count == 2 {
      guard let exponent = Int(String(decoding: parts[1], as: UTF8.self)), exponent.magnitude < 1 << 40 else { return nil }
      power += exponent
    }
    guard digits.count <= 18, power.magnitude <= 18, var value = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
    if mantissa.first == UInt8(ascii: "-") { value.negate() }
    var scale: Int64 = 1
    for _ in 0..<power.magnitude { scale *= 10 }
    guard power > 0 else { return Rational(value, scale) }
    let (product, overflow) = value.multipliedReportingOverflow(by: scale)
    return overflow ? nil : Rational(product, 1)
  }

  /// The nearest floating point value; infinite when the literal is beyond its range.
  public var doubleValue: Double { Double(text) ?? .infinity }

  /// The value as an integer, when it is one: `3`, `3.0` and `3e2` are, `3.5` is not.
  public var integer: Int64? {
    if let value = Int64(text) { return value }
    guard let exact, exact.denominator == 1 else { return nil }
    return exact.numerator
  }
}
