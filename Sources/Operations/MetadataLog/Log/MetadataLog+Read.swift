internal import Crypto
internal import Storage

/// Which entries to read. Every default: no bound.
public struct LogFilter: Sendable {
  /// The first and the last sequence number.
  public var sequences: ClosedRange<Int64> = 1...Int64.max
  public var project: String?
  public var kind: EventKind?
  /// Not before this time, microseconds since 1970.
  public var sinceMicroseconds: Int64?
  /// At most this many, the oldest first. Default 10,000.
  public var limit = 10_000

  public init() {}
}

extension MetadataLog {
  /// The entries that `filter` selects, in order. Purged and erased ones are not among them.
  /// - Throws: `damaged`, naming the entry, when one cannot be opened.
  public func entries(_ filter: LogFilter = LogFilter()) throws -> [LogEntry] {
    try database.read { try entries(filter, in: $0) }
  }

  func entries(_ filter: LogFilter, in transaction: any Transaction) throws -> [LogEntry] {
    var sql = "SELECT \(Self.entryColumns) FROM log_events WHERE kind IS NOT NULL AND sequence >= $1 AND sequence <= $2"
    var values: [SQLValue] = [.integer(filter.sequences.lowerBound), .integer(filter.sequences.upperBound)]
    func add(_ condition: String, _ value: SQLValue) {
      values.append(value)
      sql += " AND \(condition) $\(values.count)"
    }
    if let project = filter.project { add("project =", .text(project)) }
    if let kind = filter.kind { add("kind =", .text(kind.rawValue)) }
    if let since = filter.sinceMicroseconds { add("time_us >=", .integer(since)) }
    values.append(.integer(filter.limit))
    sql += " ORDER BY sequence LIMIT $\(values.count)"
    let wrapped = WrappedKeys(transaction)
    return try transaction.query(sql, values).map { try entry($0, wrapped) }
  }

  static let entryColumns = "sequence, time_us, kind, project, key_id, sealed"

  /// The entry of a row with `entryColumns`; throws `damaged` naming it.
  func entry(_ row: Row, _ wrapped: WrappedKeys) throws -> LogEntry {
    let sequence = row.integer(0) ?? 0
    func damaged(_ reason: String) -> MetadataLogError {
      MetadataLogError(.damaged, "cannot read entry \(sequence) of the log", reason: reason, advice: "run reel log verify")
    }
    guard let time = row.integer(1), let kind = row.text(2).flatMap(EventKind.init(rawValue:)), let project = row.text(3),
      let keyID = row.integer(4), let sealed = row.blob(5)
    else { throw damaged("its row is malformed") }
    guard let wrappedKey = try wrapped[keyID] else { throw damaged("its key is missing") }
    guard let key = try? keys.key(keyID, wrapped: wrappedKey),
      let opened = try? SealedPayload.open(sealed, key: key, associatedData: sequence.bigEndianBytes), opened.count >= 16
    else { throw damaged("its payload was changed") }
    let payload = Array(opened.dropFirst(16))
    guard let event = LogEntry.event(kind: kind, project: project, payload: payload), Array(event.payload.utf8) == payload else {
      throw damaged("its payload is not of kind \(kind.rawValue)")
    }
    return LogEntry(sequence: sequence, timeMicroseconds: time, event: event, salt: Array(opened.prefix(16)))
  }

  /// How many entries there are, live ones and gone ones, and how many wait to be sent. Reads indexes and no entries.
  public func counts() throws -> (live: Int64, gone: Int64, waiting: Int64, quarantined: Int64) {
    try database.read { transaction in
      let head = try LogHead.read(transaction, keys: keys)
      // Live entries are those with a key, and keys are indexed; their rows are wide.
      let live = try transaction.integer("SELECT count(*) FROM log_events WHERE key_id IS NOT NULL") ?? 0
      let waiting = try transaction.integer("SELECT count(*) FROM log_outbox WHERE state = 0") ?? 0
      let quarantined = try transaction.integer("SELECT count(*) FROM log_outbox WHERE state = 1") ?? 0
      return (live, head.sequence - live, waiting, quarantined)
    }
  }
}

/// Wrapped keys by id, each read once a transaction.
final class WrappedKeys {
  private let transaction: any Transaction
  private var known: [Int64: [UInt8]] = [:]

  init(_ transaction: any Transaction) { self.transaction = transaction }

  subscript(id: Int64) -> [UInt8]? {
    get throws {
      if let found = known[id] { return found }
      known[id] = try transaction.query("SELECT wrapped FROM log_keys WHERE id = $1", [.integer(id)]).first?.blob(0)
      return known[id]
    }
  }
}
