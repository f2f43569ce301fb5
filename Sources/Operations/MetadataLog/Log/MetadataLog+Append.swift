internal import Crypto
public import Storage

extension MetadataLog {
  /// Appends an event in an open transaction of the same database: both are kept, or neither.
  ///
  /// - Returns: Its sequence number.
  /// - Throws: `MetadataLogError.usage` for an event that is not of the closed set; `StorageError`.
  @discardableResult
  public func append(_ event: LogEvent, in transaction: any Transaction) throws -> Int64 {
    try append([event], in: transaction)[0]
  }

  /// Appends events in order, in an open transaction. Returns their sequence numbers.
  @discardableResult
  public func append(_ events: [LogEvent], in transaction: any Transaction) throws -> [Int64] {
    for event in events { try event.validate() }
    guard !events.isEmpty else { return [] }
    var head = try LogHead.read(transaction, keys: keys, locking: true)
    let reports = try isReporting(transaction)
    var sequences: [Int64] = []
    for event in events {
      let entry = LogEntry(sequence: head.sequence + 1, timeMicroseconds: now(), event: event, salt: SecureRandom.bytes(16))
      try insert(entry, head: &head, in: transaction)
      if reports, let priority = event.kind.spoolPriority {
        try spool(entry.sequence, priority, head: &head, in: transaction)
      }
      sequences.append(entry.sequence)
    }
    try head.write(transaction, keys: keys)
    if reports { try transaction.ring(Self.bell) }
    return sequences
  }

  /// Appends events in a transaction of their own.
  @discardableResult
  public func append(_ events: [LogEvent], durability: Durability = .powerSafe) throws -> [Int64] {
    try database.write(durability) { try append(events, in: $0) }
  }

  /// Appends an event in a transaction of its own.
  @discardableResult
  public func append(_ event: LogEvent, durability: Durability = .powerSafe) throws -> Int64 {
    try append([event], durability: durability)[0]
  }

  /// Writes one row and moves the head, which the caller stores.
  func insert(_ entry: LogEntry, head: inout LogHead, in transaction: any Transaction) throws {
    let retention = entry.event.kind.retention
    let (keyID, key) = try payloadKey(
      project: entry.event.project, retention: retention, timeMicroseconds: entry.timeMicroseconds, in: transaction)
    let sealed = SealedPayload.seal(
      entry.salt + Array(entry.event.payload.utf8), key: key, associatedData: entry.sequence.bigEndianBytes)
    let previous = head.hash
    let rowHash = LogEntry.rowHash(previous: previous, content: entry.contentHash)
    let mac = keys.mac("live", entry.sequence.bigEndianBytes + rowHash)
    try transaction.execute(
      """
      INSERT INTO log_events(sequence, last_sequence, time_us, kind, retention, project, key_id, sealed, previous_hash, row_hash, mac)
      VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      """,
      [
        .integer(entry.sequence), .integer(entry.timeMicroseconds), .text(entry.event.kind.rawValue), .text(retention.rawValue),
        .text(entry.event.project), .integer(keyID), .blob(sealed), .blob(previous), .blob(rowHash), .blob(mac),
      ])
    head.sequence = entry.sequence
    head.hash = rowHash
  }

  /// The key for a project, class and span of time: looked up in this transaction, because another process may have
  /// destroyed it, and made when missing.
  private func payloadKey(
    project: String, retention: RetentionClass, timeMicroseconds: Int64, in transaction: any Transaction
  ) throws -> (Int64, SecretBytes) {
    let bucket = timeMicroseconds.quotientFloor(retention.bucketMicroseconds)
    let found = try transaction.query(
      "SELECT id, wrapped FROM log_keys WHERE project = $1 AND retention = $2 AND bucket = $3",
      [.text(project), .text(retention.rawValue), .integer(bucket)])
    if let row = found.first, let id = row.integer(0), let wrapped = row.blob(1) {
      return (id, try keys.key(id, wrapped: wrapped))
    }
    let id = (try transaction.integer("SELECT max(id) FROM log_keys") ?? 0) + 1
    let (key, wrapped) = keys.makeKey(id)
    try transaction.execute(
      "INSERT INTO log_keys(id, project, retention, bucket, wrapped) VALUES ($1, $2, $3, $4, $5)",
      [.integer(id), .text(project), .text(retention.rawValue), .integer(bucket), .blob(wrapped)])
    return (id, key)
  }
}
