/// A value of a document with the place where it stands.
public struct JSONValue: Sendable {
  public enum Content: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])
  }

  public let content: Content
  /// Where the value begins.
  public let position: JSONPosition

  public init(_ content: Content, at position: JSONPosition) {
    self.content = content
    self.position = position
  }

  /// What the value is, for messages: `the string "abc"`, `the number 3`, `an array of 2`, `null`.
  public var summary: String {
    switch content {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .number(let number): return "the number \(JSONValue.shortened(number.text))"
    case .string(let text): return "the string \(JSON.string(JSONValue.shortened(text)).text(indent: nil))"
    case .array(let elements): return elements.isEmpty ? "an empty array" : "an array of \(elements.count)"
    case .object(let members): return members.isEmpty ? "an empty object" : "an object"
    }
  }

  private static func shortened(_ text: String) -> String {
    text.unicodeScalars.count <= 60 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(57))) + "…"
  }
}

/// One `"key": value` of an object.
public struct JSONMember: Sendable {
  public let key: String
  public let keyPosition: JSONPosition
  public let value: JSONValue

  public init(key: String, keyPosition: JSONPosition, value: JSONValue) {
    self.key = key
    self.keyPosition = keyPosition
    self.value = value
  }
}
