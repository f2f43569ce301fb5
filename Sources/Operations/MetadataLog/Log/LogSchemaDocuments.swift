/// The JSON Schemas (draft 2020-12) of what this module writes for others, made from the closed set of events, so that
/// they cannot differ from it.
public enum LogSchemaDocuments {
  /// An event as it is sent: CloudEvents 1.0 in JSON.
  public static var event: String {
    let data = EventKind.allCases.map { kind in
      """
          {"if": {"properties": {"type": {"const": "\(CloudEvents.type(kind))"}}},
           "then": {"properties": {"data": \(object(kind))}}}
      """
    }
    return """
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reelwright event",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
        "additionalProperties": false,
        "properties": {
          "specversion": {"const": "1.0"},
          "id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
          "source": {"type": "string", "pattern": "^urn:reelwright:installation:[0-9a-f]{32}$"},
          "type": {"enum": [\(EventKind.allCases.map { "\"\(CloudEvents.type($0))\"" }.joined(separator: ", "))]},
          "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\\\.[0-9]{6}Z$"},
          "datacontenttype": {"const": "application/json"},
          "subject": {"type": "string", "minLength": 1, "maxLength": 64},
          "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"},
          "data": {"type": "object"}
        },
        "allOf": [
      \(data.joined(separator: ",\n"))
        ]
      }

      """
  }

  /// A line of an export's `events.jsonl`.
  public static var exportLine: String {
    let fields = EventKind.allCases.map { kind in
      """
          {"if": {"properties": {"kind": {"const": "\(kind.rawValue)"}}, "required": ["kind"]},
           "then": {"properties": {"fields": \(object(kind))}}}
      """
    }
    return """
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reelwright log export, one line",
        "type": "object",
        "oneOf": [
          {"required": ["sequence", "timeMicroseconds", "kind", "project", "fields", "salt", "hash"],
           "not": {"anyOf": [{"required": ["lastSequence"]}, {"required": ["previousHash"]}]}},
          {"required": ["sequence", "lastSequence", "previousHash", "hash"],
           "not": {"anyOf": [{"required": ["kind"]}, {"required": ["fields"]}]}}
        ],
        "additionalProperties": false,
        "properties": {
          "sequence": {"type": "integer", "minimum": 1},
          "lastSequence": {"type": "integer", "minimum": 1},
          "timeMicroseconds": {"type": "integer"},
          "kind": {"enum": [\(EventKind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]},
          "project": \(schema(.label)),
          "fields": {"type": "object"},
          "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
          "previousHash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
          "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}
        },
        "allOf": [
      \(fields.joined(separator: ",\n"))
        ]
      }

      """
  }

  private static func object(_ kind: EventKind) -> String {
    let (required, optional) = kind.fields
    let names = required.union(optional).sorted { $0.rawValue < $1.rawValue }
    let properties = names.map { "\"\($0.rawValue)\": \(schema($0.type))" }.joined(separator: ", ")
    let needed = required.map { "\"\($0.rawValue)\"" }.sorted().joined(separator: ", ")
    return "{\"type\": \"object\", \"required\": [\(needed)], \"additionalProperties\": false, \"properties\": {\(properties)}}"
  }

  private static func schema(_ type: EventFieldType) -> String {
    switch type {
    case .integer: "{\"type\": \"integer\"}"
    case .identifier: "{\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9-]{1,64}$\"}"
    case .label: "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 256}"
    case .digest: "{\"type\": \"string\", \"pattern\": \"^[0-9a-f]{64}$\"}"
    case .choice(let words): "{\"enum\": [\(words.map { "\"\($0)\"" }.joined(separator: ", "))]}"
    }
  }
}
