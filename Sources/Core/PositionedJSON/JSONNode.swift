public import MediaCore

/// A value of a document together with its path and its document: reads itself as a type or says precisely why it cannot.
public struct JSONNode: Sendable {
  public let value: JSONValue
  public let path: JSONPath
  public let source: JSONSource

  public init(value: JSONValue, path: JSONPath, source: JSONSource) {
    self.value = value
    self.path = path
    self.source = source
  }

  public var position: JSONPosition { value.position }

  /// An error about this value, with its line, column and path.
  public func error(_ reason: String, advice: String? = nil) -> MediaError {
    source.error(at: position, path: path, reason, advice: advice)
  }

  /// The error of a value that is of another type or form than wanted: `expected …, found …`.
  public func mismatch(_ expected: String, advice: String? = nil) -> MediaError {
    error("expected \(expected), found \(value.summary)", advice: advice)
  }

  public var isNull: Bool { if case .null = value.content { true } else { false } }

  /// The text, when it is a string.
  public var asString: String? { if case .string(let text) = value.content { text } else { nil } }

  /// The number, when it is one.
  public var asNumber: JSONNumber? { if case .number(let number) = value.content { number } else { nil } }

  /// The elements, when it is an array.
  public var asArray: [JSONNode]? {
    guard case .array(let elements) = value.content else { return nil }
    return elements.enumerated().map { JSONNode(value: $1, path: path.appending($0), source: source) }
  }

  /// The members in document order, when it is an object.
  public var asObject: [(key: String, node: JSONNode)]? {
    guard case .object(let members) = value.content else { return nil }
    return members.map { ($0.key, JSONNode(value: $0.value, path: path.appending($0.key), source: source)) }
  }

  public func bool() throws(MediaError) -> Bool {
    guard case .bool(let value) = value.content else { throw mismatch("true or false") }
    return value
  }

  public func string(_ expected: String = "a text in double quotes") throws(MediaError) -> String {
    guard let asString else { throw mismatch(expected) }
    return asString
  }

  /// A whole number within `range`.
  public func integer(in range: ClosedRange<Int64> = .min ... .max) throws(MediaError) -> Int64 {
    guard let number = asNumber, let integer = number.integer else { throw mismatch("a whole number") }
    guard range.contains(integer) else {
      throw error("\(integer) is out of range", advice: "from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// An exact number; one with more than 18 significant digits is refused.
  public func number(_ expected: String = "a number") throws(MediaError) -> Rational {
    guard let number = asNumber else { throw mismatch(expected) }
    guard let exact = number.exact else { throw error("\(value.summary) has too many digits or too large an exponent") }
    return exact
  }

  /// An exact number within `range`.
  public func number(in range: ClosedRange<Rational>) throws(MediaError) -> Rational {
    let number = try number()
    guard range.contains(number) else {
      throw error(
        "\(asNumber?.text ?? "") is out of range",
        advice: "from \(JSON(range.lowerBound).text(indent: nil)) to \(JSON(range.upperBound).text(indent: nil))")
    }
    return number
  }

  public func array(_ expected: String = "an array") throws(MediaError) -> [JSONNode] {
    guard let asArray else { throw mismatch(expected) }
    return asArray
  }

  /// One of the raw values of `type`; a misspelt one is answered with the nearest.
  public func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type) throws(MediaError) -> T where T.RawValue == String {
    let names = T.allCases.map(\.rawValue)
    guard let asString else { throw mismatch("one of \(names.joined(separator: ", "))") }
    guard let value = T(rawValue: asString) else { throw unknownName(asString, among: names) }
    return value
  }

  /// The error for a name that is not among `names`.
  public func unknownName(_ name: String, among names: [String]) -> MediaError {
    let quoted = JSON.string(String(name.prefix(60))).text(indent: nil)
    let suggestion = NearestMatch.find(name, among: names).map { "did you mean \"\($0)\"?" }
    return error("\(quoted) is not one of \(names.joined(separator: ", "))", advice: suggestion)
  }

  /// The members of an object, to be asked for one by one; `expected` says what the object should be.
  public func fields(_ expected: String = "an object") throws(MediaError) -> JSONFields {
    guard let members = asObject else { throw mismatch(expected) }
    return JSONFields(node: self, members: members)
  }
}
