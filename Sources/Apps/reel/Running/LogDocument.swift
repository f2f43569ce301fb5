import Reelwright

/// `reel log list --json`.
struct LogDocument: Encodable {
  struct Event: Encodable {
    var sequence: Int64
    var time: String
    var kind: String
    var project: String
    var fields: [String: Value]

    init(_ entry: LogEntry) {
      sequence = entry.sequence
      time = entry.timeText
      kind = entry.event.kind.rawValue
      project = entry.event.project
      fields = Dictionary(uniqueKeysWithValues: entry.event.fields.map { ($0.key.rawValue, Value(value: $0.value)) })
    }
  }

  struct Value: Encodable {
    var value: EventValue

    func encode(to encoder: any Swift.Encoder) throws {
      var container = encoder.singleValueContainer()
      switch value {
      case .integer(let number): try container.encode(number)
      case .text(let text): try container.encode(text)
      }
    }
  }

  var schema = 1
  var events: [Event]
}

/// `reel log verify --json`.
struct VerificationDocument: Encodable {
  struct Fault: Encodable {
    var sequence: Int64?
    var reason: String
  }
  var schema = 1
  var whole: Bool
  var liveEntries: Int64
  var goneEntries: Int64
  var fault: Fault?

  init(_ result: LogVerification) {
    whole = result.fault == nil
    liveEntries = result.liveEntries
    goneEntries = result.goneEntries
    fault = result.fault.map { Fault(sequence: $0.sequence, reason: $0.reason) }
  }
}

/// `reel log hold --json`.
struct HoldDocument: Encodable {
  struct Hold: Encodable {
    var id: Int64
    var project: String?
    var retention: String?
    var reason: String

    init(_ hold: LegalHold) {
      id = hold.id
      project = hold.project
      retention = hold.retention?.rawValue
      reason = hold.reason
    }
  }
  var schema = 1
  var holds: [Hold]
}

/// `reel log export --json` and `reel log import --json`.
struct ExportDocument: Encodable {
  var schema = 1
  var folder: String
  var events: Int64
  var hashes: Int64
  var media: Int
  var project: String?

  init(_ summary: ExportSummary, folder: String) {
    self.folder = folder
    (events, hashes, media, project) = (summary.events, summary.hashes, summary.media, summary.project)
  }
}
