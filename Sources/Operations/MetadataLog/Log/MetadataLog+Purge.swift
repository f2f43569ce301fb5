internal import Storage

extension MetadataLog {
  /// Removes every span of events whose time has come (`Retention`): first its key, then its rows, which leave a hash.
  ///
  /// Held events stay. Afterwards SQLite's write-ahead log is emptied, so that neither payload nor key remains in a file;
  /// on PostgreSQL what is left in dead rows and old WAL cannot be opened without the key.
  /// - Returns: How many events went.
  @discardableResult
  public func purge() throws -> Int64 {
    let now = now()
    let expired: [(id: Int64, retention: RetentionClass)] = try database.read { transaction in
      let holds = try LegalHold.all(transaction)
      return try transaction.query("SELECT id, project, retention, bucket FROM log_keys ORDER BY id").compactMap { row in
        guard let id = row.integer(0), let project = row.text(1), let retention = row.text(2).flatMap(RetentionClass.init(rawValue:)),
          let bucket = row.integer(3)
        else { return nil }
        let begin = bucket * retention.bucketMicroseconds
        let isDue = begin + configuration.retention.seconds(retention) * 1_000_000 <= now
        return isDue && !holds.contains { $0.covers(project: project, retention: retention) } ? (id, retention) : nil
      }
    }
    var counts: [RetentionClass: Int64] = [:]
    for (id, retention) in expired {
      // One transaction a span: a long purge does not keep the workers from writing.
      counts[retention, default: 0] += try database.write { try bury(keyID: id, in: $0) }
    }
    let events = counts.filter { $0.value > 0 }.map { retention, count in
      LogEvent(.logPurged, [.count: .integer(count), .retention: .text(retention.rawValue)])
    }
    try append(events.sorted { "\($0.fields)" < "\($1.fields)" })
    if !expired.isEmpty { try forgetDestroyedKeys() }
    return counts.values.reduce(0, +)
  }

  /// Destroys a key and turns its rows into tombstones. Returns how many rows there were.
  func bury(keyID: Int64, in transaction: any Transaction) throws -> Int64 {
    let rows = try transaction.query(
      "SELECT sequence, previous_hash, row_hash FROM log_events WHERE key_id = $1 ORDER BY sequence", [.integer(keyID)])
    try transaction.execute("DELETE FROM log_keys WHERE id = $1", [.integer(keyID)])
    guard !rows.isEmpty else { return 0 }
    // The head's row is what appending locks: two buryings at once could merge one tombstone twice.
    var head = try LogHead.read(transaction, keys: keys, locking: true)
    let sent = try transaction.execute(
      "DELETE FROM log_outbox WHERE sequence IN (SELECT sequence FROM log_events WHERE key_id = $1)", [.integer(keyID)])
    head.spooled = max(0, head.spooled - Int64(sent))
    try head.write(transaction, keys: keys)
    try transaction.execute("DELETE FROM log_events WHERE key_id = $1", [.integer(keyID)])
    var run: Tombstone?
    for row in rows {
      guard let sequence = row.integer(0), let previous = row.blob(1), let hash = row.blob(2) else { continue }
      if var open = run, open.last + 1 == sequence {
        open.last = sequence
        open.hash = hash
        run = open
      } else {
        if let run { try place(run, in: transaction) }
        run = Tombstone(first: sequence, last: sequence, previous: previous, hash: hash)
      }
    }
    if let run { try place(run, in: transaction) }
    return Int64(rows.count)
  }

  /// Writes a tombstone, joined with those that touch it: a log that only ages keeps one row for its whole past.
  private func place(_ tombstone: Tombstone, in transaction: any Transaction) throws {
    var merged = tombstone
    let before = try transaction.query(
      "SELECT sequence, last_sequence, previous_hash FROM log_events WHERE sequence < $1 ORDER BY sequence DESC LIMIT 1",
      [.integer(merged.first)])
    let after = try transaction.query(
      "SELECT last_sequence, row_hash FROM log_events WHERE sequence = $1 AND kind IS NULL", [.integer(merged.last + 1)])
    if let row = before.first, let first = row.integer(0), row.integer(1) == merged.first - 1, let previous = row.blob(2),
      try transaction.execute("DELETE FROM log_events WHERE sequence = $1 AND kind IS NULL", [.integer(first)]) == 1
    {
      merged.first = first
      merged.previous = previous
    }
    if let row = after.first, let last = row.integer(0), let hash = row.blob(1) {
      try transaction.execute("DELETE FROM log_events WHERE sequence = $1", [.integer(merged.last + 1)])
      merged.last = last
      merged.hash = hash
    }
    try insert(merged, in: transaction)
  }

  func insert(_ tombstone: Tombstone, in transaction: any Transaction) throws {
    try transaction.execute(
      "INSERT INTO log_events(sequence, last_sequence, previous_hash, row_hash, mac) VALUES ($1, $2, $3, $4, $5)",
      [
        .integer(tombstone.first), .integer(tombstone.last), .blob(tombstone.previous), .blob(tombstone.hash),
        .blob(keys.mac("gone", tombstone.authenticated)),
      ])
  }

  /// Takes destroyed keys out of memory and out of SQLite's write-ahead log.
  func forgetDestroyedKeys() throws {
    keys.forget()
    guard let file = database as? SQLiteDatabase else { return }
    // The copy holds rows and keys of before; the keeper makes a new one.
    file.discardBackup()
    try file.truncateLog()
  }
}
