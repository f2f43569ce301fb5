internal import Crypto
internal import Storage

/// What a verification found.
public struct LogVerification: Sendable {
  /// A place where the log is not what was written.
  public struct Fault: Sendable {
    /// The entry, or the first of the missing ones; nil when it is the file as a whole.
    public var sequence: Int64?
    public var reason: String
  }

  /// Entries that were opened and checked.
  public var liveEntries: Int64 = 0
  /// Entries that were purged or erased and have left their hash.
  public var goneEntries: Int64 = 0
  /// The first fault in order of sequence; nil when the log is whole.
  public var fault: Fault?

  /// That of a log without entries.
  public init() {}
}

extension MetadataLog {
  /// Walks the whole chain: every hash, every authentication code, every payload, the end, the outbox and, on SQLite, the
  /// file's own structure. Names the first bad entry.
  ///
  /// Reads in portions of 1000 within one snapshot; memory does not grow with the log.
  public func verify() throws -> LogVerification {
    try database.read { transaction in
      var result = LogVerification()
      if transaction.dialect == .sqlite, let problem = try integrityProblem(transaction) {
        result.fault = .init(sequence: nil, reason: problem)
      }
      let head: LogHead
      do { head = try LogHead.read(transaction, keys: keys) } catch let error as MetadataLogError {
        result.fault = .init(sequence: nil, reason: error.reason)
        return result
      }
      // A named entry says more than "the file": the walk goes on and its finding goes first.
      if let fault = try walk(transaction, head: head, result: &result) { result.fault = fault }
      if result.fault == nil { result.fault = try strays(transaction, head: head) }
      return result
    }
  }

  private func integrityProblem(_ transaction: any Transaction) throws -> String? {
    let text = try transaction.query("PRAGMA integrity_check(1)").first?.text(0)
    return text == "ok" ? nil : "the database file is damaged: \(text ?? "no answer")"
  }

  private func walk(_ transaction: any Transaction, head: LogHead, result: inout LogVerification) throws -> LogVerification.Fault? {
    var expected: Int64 = 1
    var previous = [UInt8](repeating: 0, count: 32)
    let wrapped = WrappedKeys(transaction)
    while true {
      let rows = try transaction.query(
        """
        SELECT \(Self.entryColumns), last_sequence, retention, previous_hash, row_hash, mac FROM log_events
        WHERE sequence >= $1 ORDER BY sequence LIMIT 1000
        """, [.integer(expected)])
      if rows.isEmpty { break }
      for row in rows {
        guard let sequence = row.integer(0) else { return .init(sequence: expected, reason: "its row is malformed") }
        guard sequence == expected else { return .init(sequence: expected, reason: "it is missing") }
        if let reason = try problem(of: row, sequence: sequence, previous: previous, wrapped) {
          return .init(sequence: sequence, reason: reason)
        }
        let last = row.integer(6) ?? sequence
        if row.text(2) == nil { result.goneEntries += last - sequence + 1 } else { result.liveEntries += 1 }
        previous = row.blob(9) ?? []
        expected = last + 1
      }
    }
    guard head.sequence == expected - 1 else {
      return expected <= head.sequence
        ? .init(sequence: expected, reason: "it is missing") : .init(sequence: head.sequence + 1, reason: "it was never appended")
    }
    return constantTimeEquals(head.hash, previous) ? nil : .init(sequence: head.sequence, reason: "its hash is not the chain's end")
  }

  /// Why a row is not what was written; nil when it is.
  private func problem(of row: Row, sequence: Int64, previous: [UInt8], _ wrapped: WrappedKeys) throws -> String? {
    guard let last = row.integer(6), let rowPrevious = row.blob(8), let rowHash = row.blob(9), let mac = row.blob(10) else {
      return "its row is malformed"
    }
    guard constantTimeEquals(rowPrevious, previous) else { return "it does not follow the entry before" }
    if row.text(2) == nil {
      let tombstone = Tombstone(first: sequence, last: last, previous: rowPrevious, hash: rowHash)
      guard (0...5).allSatisfy({ $0 == 0 || row[$0] == .null }), row[7] == .null else { return "a purged entry holds data" }
      return last >= sequence && keys.isValid(mac, "gone", tombstone.authenticated) ? nil : "its authentication code is wrong"
    }
    guard last == sequence else { return "its row is malformed" }
    let entry: LogEntry
    do { entry = try self.entry(row, wrapped) } catch let error as MetadataLogError { return error.reason }
    guard row.text(7) == entry.event.kind.retention.rawValue else { return "its retention class was changed" }
    guard constantTimeEquals(LogEntry.rowHash(previous: previous, content: entry.contentHash), rowHash) else {
      return "its content was changed"
    }
    return keys.isValid(mac, "live", sequence.bigEndianBytes + rowHash) ? nil : "its authentication code is wrong"
  }

  /// Outbox rows and keys that belong to nothing.
  private func strays(_ transaction: any Transaction, head: LogHead) throws -> LogVerification.Fault? {
    let unsent = try transaction.integer(
      """
      SELECT min(o.sequence) FROM log_outbox o LEFT JOIN log_events e ON e.sequence = o.sequence AND e.kind IS NOT NULL
      WHERE e.sequence IS NULL OR o.priority NOT IN (0, 1, 2) OR o.state NOT IN (0, 1)
      """)
    if let unsent { return .init(sequence: unsent, reason: "the outbox names it, and it is not in the log or malformed there") }
    for row in try transaction.query("SELECT DISTINCT e.kind, o.priority FROM log_outbox o JOIN log_events e ON e.sequence = o.sequence") {
      guard row.text(0).flatMap(EventKind.init(rawValue:))?.spoolPriority?.rawValue == row.integer(1) else {
        return .init(sequence: nil, reason: "the outbox has an entry at another priority than its kind's")
      }
    }
    if let sequence = try transaction.integer("SELECT min(sequence) FROM log_outbox WHERE state = 0 AND reason IS NOT NULL") {
      return .init(sequence: sequence, reason: "its row in the outbox was changed")
    }
    for row in try transaction.query("SELECT sequence, reason FROM log_outbox WHERE state = 1 ORDER BY sequence") {
      let sequence = row.integer(0) ?? 0
      guard isQuarantineReason(row.text(1) ?? "", of: sequence) else {
        return .init(sequence: sequence, reason: "its row in the outbox was changed")
      }
    }
    if try transaction.integer("SELECT count(*) FROM log_outbox") != head.spooled {
      return .init(sequence: nil, reason: "rows of the outbox were removed, or their count was changed")
    }
    if let fault = try strangeKey(transaction) { return fault }
    if let reason = try keys.strangeRow(in: transaction) { return .init(sequence: nil, reason: reason) }
    let unused = try transaction.integer(
      "SELECT count(*) FROM log_keys k WHERE NOT EXISTS (SELECT 1 FROM log_events e WHERE e.key_id = k.id)")
    return unused == 0 ? nil : .init(sequence: nil, reason: "a payload key belongs to no entry")
  }
}

extension MetadataLog {
  /// A payload key that is filed under another project, class or time than its entries.
  private func strangeKey(_ transaction: any Transaction) throws -> LogVerification.Fault? {
    let keyed = "FROM log_events e JOIN log_keys k ON k.id = e.key_id WHERE"
    var found = try transaction.integer("SELECT min(e.sequence) \(keyed) (k.project <> e.project OR k.retention <> e.retention)")
    for retention in RetentionClass.allCases where found == nil {
      found = try transaction.integer(
        "SELECT min(e.sequence) \(keyed) k.retention = $1 AND (e.time_us < k.bucket * $2 OR e.time_us >= (k.bucket + 1) * $2)",
        [.text(retention.rawValue), .integer(retention.bucketMicroseconds)])
    }
    return found.map { .init(sequence: $0, reason: "its payload key was changed") }
  }
}

/// A run of entries that are gone and the hashes that they left.
struct Tombstone {
  var first: Int64
  var last: Int64
  /// The hash of the entry before `first`.
  var previous: [UInt8]
  /// The hash of `last`.
  var hash: [UInt8]

  var authenticated: [UInt8] { first.bigEndianBytes + last.bigEndianBytes + previous + hash }
}
