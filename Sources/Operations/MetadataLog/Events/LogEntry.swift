internal import Crypto
internal import FoundationEssentials

/// An event as it stands in the log.
public struct LogEntry: Hashable, Sendable {
  /// 1 for the first event of an installation; never used twice.
  public var sequence: Int64
  /// Microseconds since 1970.
  public var timeMicroseconds: Int64
  public var event: LogEvent
  /// Random bytes that go into the content's hash, so that the hash which a purged event leaves tells nothing about it.
  var salt: [UInt8]

  /// The time in RFC 3339, UTC, with microseconds.
  public var timeText: String { Timestamp.text(timeMicroseconds) }

  /// The hash of this entry's content: SHA-256 over a version label, the salt and the length-prefixed members.
  var contentHash: [UInt8] {
    var hash = SHA256()
    hash.update("reelwright-log-v1")
    hash.update(salt)
    hash.update(sequence.bigEndianBytes + timeMicroseconds.bigEndianBytes)
    for text in [event.kind.rawValue, event.project, event.payload] {
      let bytes = Array(text.utf8)
      hash.update(Int64(bytes.count).bigEndianBytes + bytes)
    }
    return hash.finish().bytes
  }

  /// The hash that the next entry builds on.
  static func rowHash(previous: [UInt8], content: [UInt8]) -> [UInt8] { SHA256.digest(of: previous + content).bytes }

  /// The fields that `payload` holds; nil when it is not what `LogEvent.payload` writes.
  static func event(kind: EventKind, project: String, payload: [UInt8]) -> LogEvent? {
    guard let values = try? JSONDecoder().decode([String: JSONScalar].self, from: Data(payload)) else { return nil }
    var event = LogEvent(kind, project: project)
    for (name, scalar) in values {
      guard let field = EventField(rawValue: name) else { return nil }
      event.fields[field] = scalar.value
    }
    return event
  }
}

/// A number or a string of JSON.
struct JSONScalar: Codable {
  var value: EventValue

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      value = .integer(number)
    } else {
      value = .text(try container.decode(String.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .integer(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    }
  }
}

extension Int64 {
  var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> Int64(56 - 8 * $0)) } }
}
