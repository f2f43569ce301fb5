/// Something that happened, before it is logged.
public struct LogEvent: Hashable, Sendable {
  public var kind: EventKind
  /// The label of the project it belongs to; what `erase` goes by. Default `"default"`.
  public var project: String
  public var fields: [EventField: EventValue]

  public init(_ kind: EventKind, project: String = "default", _ fields: [EventField: EventValue] = [:]) {
    self.kind = kind
    self.project = project
    self.fields = fields
  }

  /// Throws `usage` when a field is missing, not of this kind, or not of its type.
  func validate() throws(MetadataLogError) {
    let (required, optional) = kind.fields
    func refuse(_ reason: String) -> MetadataLogError {
      MetadataLogError(.usage, "cannot log \(kind.rawValue)", reason: reason)
    }
    guard EventFieldType.isLabel(project) else { throw refuse("the project is not a label of 1 to 64 characters") }
    for field in required where fields[field] == nil { throw refuse("the field \(field.rawValue) is missing") }
    for (field, value) in fields {
      guard required.contains(field) || optional.contains(field) else { throw refuse("it has no field \(field.rawValue)") }
      // The value itself stays out of the message: it may be what must not be logged.
      guard field.type.accepts(value) else { throw refuse("the value of \(field.rawValue) is not of its type") }
    }
  }

  /// The fields as JSON with sorted keys: the payload that is hashed, sealed, exported and sent.
  var payload: String { JSONText.object(fields.map { ($0.key.rawValue, $0.value) }) }
}

/// JSON as this module writes it: sorted keys, no white space, one spelling for every value.
enum JSONText {
  static func object(_ members: [(String, EventValue)]) -> String {
    "{" + members.sorted { $0.0 < $1.0 }.map { "\(quoted($0.0)):\(value($0.1))" }.joined(separator: ",") + "}"
  }

  private static func value(_ value: EventValue) -> String {
    switch value {
    case .integer(let number): String(number)
    case .text(let text): quoted(text)
    }
  }

  /// A JSON string (RFC 8259): quotes, backslashes and control characters escaped, everything else as it is.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
