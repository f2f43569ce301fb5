public import MediaCore

/// A JSON value to be written: members keep their order, so that equal values give equal bytes.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Written in the shortest form that reads back as the same value; NaN and infinities become null.
  case double(Double)
  /// A number as it was read.
  case number(JSONNumber)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  /// A value that was read, without its positions.
  public init(_ value: JSONValue) {
    switch value.content {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .number(let number): self = .number(number)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .array(elements.map { JSON($0) })
    case .object(let members): self = .object(members.map { ($0.key, JSON($0.value)) })
    }
  }

  /// A fraction as the nearest decimal number: exact where it has at most 15 digits.
  public init(_ value: Rational) {
    self = value.denominator == 1 ? .integer(value.numerator) : .double(value.doubleValue)
  }

  /// Times are numbers of seconds.
  public init(_ time: MediaTime) { self.init(time.seconds) }

  public init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  public init(_ value: Int) { self = .integer(Int64(value)) }

  /// The text. `indent` is the number of spaces per level, nil for one line without spaces. Default 2.
  /// Characters outside ASCII stand as they are; control characters and the line separators U+2028 and U+2029 are escaped.
  public func text(indent: Int? = 2) -> String {
    var output = ""
    write(to: &output, indent: indent, level: 0)
    return output
  }

  private func write(to output: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .double(let value): output += JSON.literal(value)
    case .number(let number): output += number.text
    case .string(let text): JSON.writeString(text, to: &output)
    case .array(let elements):
      JSON.writeList(elements, "[", "]", to: &output, indent: indent, level: level) { element, output in
        element.write(to: &output, indent: indent, level: level + 1)
      }
    case .object(let members):
      JSON.writeList(members, "{", "}", to: &output, indent: indent, level: level) { member, output in
        JSON.writeString(member.0, to: &output)
        output += indent == nil ? ":" : ": "
        member.1.write(to: &output, indent: indent, level: level + 1)
      }
    }
  }

  private static func writeList<T>(
    _ items: [T], _ open: String, _ close: String, to output: inout String, indent: Int?, level: Int,
    write: (T, inout String) -> Void
  ) {
    output += open
    for (index, item) in items.enumerated() {
      if index > 0 { output += "," }
      if let indent { output += "\n" + String(repeating: " ", count: indent * (level + 1)) }
      write(item, &output)
    }
    if let indent, !items.isEmpty { output += "\n" + String(repeating: " ", count: indent * level) }
    output += close
  }

  static func literal(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if let integer = Int64(exactly: value), integer.magnitude < 1 << 53 { return String(integer) }
    return value.description
  }

  private static func writeString(_ text: String, to output: inout String) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements) }
}
