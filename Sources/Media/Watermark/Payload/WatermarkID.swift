/// The 64 bits that a mark carries. Written as 16 hex digits; decimal is accepted on input.
public struct WatermarkID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }

  /// Reads 16 hex digits, `0x` and hex digits, or a decimal number below 2⁶⁴; nil for anything else.
  ///
  /// A number of exactly 16 digits is hexadecimal, as on output.
  public init?(_ text: some StringProtocol) {
    let parsed: UInt64?
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      parsed = text.dropFirst(2).allSatisfy(\.isHexDigit) ? UInt64(text.dropFirst(2), radix: 16) : nil
    } else if text.utf8.count == 16, text.allSatisfy(\.isHexDigit) {
      parsed = UInt64(text, radix: 16)
    } else {
      parsed = text.allSatisfy { $0.isASCII && $0.isNumber } ? UInt64(text) : nil
    }
    guard let parsed else { return nil }
    value = parsed
  }

  public var description: String { fixedHex(value, digits: 16) }
  public static func < (left: WatermarkID, right: WatermarkID) -> Bool { left.value < right.value }
}

extension WatermarkID: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = WatermarkID(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not a 64-bit id")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
