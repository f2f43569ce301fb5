internal import Crypto
internal import Storage

extension MetadataLog {
  /// Whether events are to be sent at all: a destination is configured and consent is given.
  func isReporting(_ transaction: any Transaction) throws -> Bool { try transaction.state("reporting") == "on" }

  /// Puts an event into the outbox and keeps the spool within its bound.
  func spool(_ sequence: Int64, _ priority: SpoolPriority, head: inout LogHead, in transaction: any Transaction) throws {
    try transaction.execute(
      "INSERT INTO log_outbox(sequence, priority, state) VALUES ($1, $2, 0)", [.integer(sequence), .integer(priority.rawValue)])
    head.spooled += 1
    let excess = head.spooled - configuration.spoolEvents
    guard excess > 0 else { return }
    // Some more than needed, so that a full spool is not trimmed at every append; the oldest of the least important first.
    let count = excess + configuration.spoolEvents / 100
    let dropped = try transaction.execute(
      """
      DELETE FROM log_outbox WHERE sequence IN
      (SELECT sequence FROM log_outbox WHERE priority < 2 ORDER BY priority, sequence LIMIT $1)
      """, [.integer(count)])
    head.spooled -= Int64(dropped)
    if dropped > 0 {
      let before = try transaction.state("dropped").flatMap { Int64($0) } ?? 0
      try keys.setState("dropped", String(before + Int64(dropped)), in: transaction)
    }
  }

  /// The oldest waiting entries, at most `limit`.
  func waiting(limit: Int) throws -> [LogEntry] {
    try database.read { transaction in
      let wrapped = WrappedKeys(transaction)
      let columns = Self.entryColumns.split(separator: ",").map { "e." + $0.drop { $0 == " " } }.joined(separator: ", ")
      return try transaction.query(
        """
        SELECT \(columns) FROM log_outbox o JOIN log_events e ON e.sequence = o.sequence
        WHERE o.state = 0 ORDER BY o.sequence LIMIT $1
        """, [.integer(limit)]
      ).map { try entry($0, wrapped) }
    }
  }

  /// Takes events that were received out of the outbox and notes the batch in the ledger of what was sent.
  func acknowledge(_ receipt: SentBatch, sequences: [Int64]) throws {
    try database.write { transaction in
      try remove(sequences, in: transaction)
      try note(receipt, in: transaction)
    }
  }

  /// Adds a batch to the ledger.
  func note(_ receipt: SentBatch, in transaction: any Transaction) throws {
    let id = (try transaction.integer("SELECT max(id) FROM log_sent") ?? 0) + 1
    try transaction.execute(
      """
      INSERT INTO log_sent(id, time_us, origin, first_sequence, last_sequence, events, bytes, digest)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
      """,
      [
        .integer(id), .integer(receipt.timeMicroseconds), .text(receipt.origin), .integer(receipt.firstSequence),
        .integer(receipt.lastSequence), .integer(receipt.events), .integer(receipt.bytes), .text(receipt.digest),
      ])
    try keys.guardRow(.sent, [.integer(id)], in: transaction)
    // The ledger is bounded as the log is: it follows the history's retention.
    let oldest = receipt.timeMicroseconds - configuration.retention.historySeconds * 1_000_000
    try keys.removeRows(.sent, where: "time_us < $1", [.integer(oldest)], in: transaction)
  }

  private func remove(_ sequences: [Int64], in transaction: any Transaction) throws {
    var head = try LogHead.read(transaction, keys: keys, locking: true)
    for sequence in sequences {
      // A purge may have been there first.
      head.spooled -= Int64(try transaction.execute("DELETE FROM log_outbox WHERE sequence = $1", [.integer(sequence)]))
    }
    head.spooled = max(0, head.spooled)
    try head.write(transaction, keys: keys)
  }

  /// What the receiver said, with a code over it.
  private func quarantineReason(_ sequence: Int64, _ text: String) -> String {
    "\(text) \(Hex.encode(keys.mac("quarantine", sequence.bigEndianBytes + Array(text.utf8))))"
  }

  /// Whether the text is what `quarantine` wrote for this event.
  func isQuarantineReason(_ reason: String, of sequence: Int64) -> Bool {
    guard let space = reason.lastIndex(of: " ") else { return false }
    return constantTimeEquals(Array(quarantineReason(sequence, String(reason[..<space])).utf8), Array(reason.utf8))
  }

  /// Sets an event aside that the receiver refuses by itself.
  func quarantine(_ sequence: Int64, status: Int) throws {
    let reason = quarantineReason(sequence, "status \(status)")
    _ = try database.write { transaction in
      try transaction.execute("UPDATE log_outbox SET state = 1, reason = $2 WHERE sequence = $1", [.integer(sequence), .text(reason)])
    }
  }

  /// Empties the outbox; what was waiting is never sent.
  func emptyOutbox(in transaction: any Transaction) throws {
    var head = try LogHead.read(transaction, keys: keys, locking: true)
    try transaction.execute("DELETE FROM log_outbox")
    head.spooled = 0
    try head.write(transaction, keys: keys)
  }

  /// The ledger: every batch that a receiver or a collector of telemetry has acknowledged, oldest first.
  public func sentBatches() throws -> [SentBatch] {
    try database.read { transaction in
      try transaction.query(
        "SELECT time_us, origin, first_sequence, last_sequence, events, bytes, digest FROM log_sent ORDER BY id"
      ).compactMap { row in
        guard let time = row.integer(0), let origin = row.text(1), let first = row.integer(2), let last = row.integer(3),
          let events = row.integer(4), let bytes = row.integer(5), let digest = row.text(6)
        else { return nil }
        return SentBatch(
          timeMicroseconds: time, origin: origin, firstSequence: first, lastSequence: last, events: Int(events), bytes: Int(bytes),
          digest: digest)
      }
    }
  }

  /// How many events the bound of the spool has cost so far: progress and passing states, never final ones.
  public func droppedEvents() throws -> Int64 { try database.read { try $0.state("dropped").flatMap { Int64($0) } ?? 0 } }
}

/// A batch that a receiver has acknowledged.
public struct SentBatch: Hashable, Sendable {
  public var timeMicroseconds: Int64
  /// Scheme, host and port of the receiver.
  public var origin: String
  public var firstSequence: Int64
  public var lastSequence: Int64
  public var events: Int
  public var bytes: Int
  /// SHA-256 of the body, 64 hexadecimal digits.
  public var digest: String
}
