internal import Crypto
internal import Storage

/// The tables beside the chain, each row of which has an authentication code of its own in `log_codes`: a changed, added or
/// removed row is found and named. (Entries carry theirs; the outbox follows from entries and head; keys are sealed.)
enum GuardedTable: String, CaseIterable {
  case state = "log_state"
  case sent = "log_sent"
  case holds = "log_holds"
  case destinations = "log_destinations"
  case usage = "log_usage"
  case erasures = "log_erasures"
  case people = "creator_people"
  case marks = "creator_marks"

  /// The primary key, which names the row.
  var key: [String] {
    switch self {
    case .state: ["name"]
    case .sent, .holds, .people: ["id"]
    case .destinations: ["origin", "purpose"]
    case .usage: ["day", "project"]
    case .erasures: ["project"]
    case .marks: ["watermark"]
    }
  }

  /// All other columns.
  var content: [String] {
    switch self {
    case .state: ["value"]
    case .sent: ["time_us", "origin", "first_sequence", "last_sequence", "events", "bytes", "digest"]
    case .holds: ["project", "retention", "placed_us", "reason"]
    case .destinations: ["path"]
    case .usage: ["jobs", "media_ms", "frames", "bytes"]
    case .erasures: ["started_us"]
    case .people: ["enrolled_us", "withdrawn_us"]
    case .marks: ["creator", "project", "output", "made_us"]
    }
  }

  fileprivate var columns: String { (key + content).joined(separator: ", ") }

  /// `log_holds 3`: what a row is called, in findings and in `log_codes`.
  fileprivate func place(_ key: some Sequence<SQLValue>) -> String {
    rawValue + " "
      + key.map { value in
        switch value {
        case .integer(let number): String(number)
        case .text(let text): text
        default: "?"
        }
      }.joined(separator: " ")
  }
}

extension LogKeys {
  /// Over the table's name and every column with its type: no two rows give the same bytes.
  fileprivate func code(_ table: GuardedTable, _ row: Row) -> [UInt8] {
    var bytes = Array(table.rawValue.utf8) + [0]
    for value in row.values {
      switch value {
      case .null: bytes += [0]
      case .integer(let number): bytes += [1] + number.bigEndianBytes
      case .real(let number): bytes += [2] + Int64(bitPattern: number.bitPattern).bigEndianBytes
      case .text(let text): bytes += [3] + Int64(text.utf8.count).bigEndianBytes + Array(text.utf8)
      case .blob(let blob): bytes += [4] + Int64(blob.count).bigEndianBytes + blob
      }
    }
    return mac("row", bytes)
  }

  /// Writes the code of the row `key`, which was just written or removed.
  func guardRow(_ table: GuardedTable, _ key: [SQLValue], in transaction: any Transaction) throws {
    let condition = table.key.enumerated().map { "\($1) = $\($0 + 1)" }.joined(separator: " AND ")
    let row = try transaction.query("SELECT \(table.columns) FROM \(table.rawValue) WHERE \(condition)", key).first
    guard let row else {
      try transaction.execute("DELETE FROM log_codes WHERE place = $1", [.text(table.place(key))])
      return
    }
    try transaction.execute(
      "INSERT INTO log_codes(place, code) VALUES ($1, $2) ON CONFLICT(place) DO UPDATE SET code = excluded.code",
      [.text(table.place(key)), .blob(code(table, row))])
  }

  /// Removes the rows that fit `condition`, with their codes.
  func removeRows(_ table: GuardedTable, where condition: String, _ values: [SQLValue], in transaction: any Transaction) throws {
    let rows = try transaction.query("SELECT \(table.key.joined(separator: ", ")) FROM \(table.rawValue) WHERE \(condition)", values)
    guard !rows.isEmpty else { return }
    try transaction.execute("DELETE FROM \(table.rawValue) WHERE \(condition)", values)
    for row in rows { try transaction.execute("DELETE FROM log_codes WHERE place = $1", [.text(table.place(row.values))]) }
  }

  /// Writes the codes of all rows: for a store of a version that had none.
  func guardAllRows(in transaction: any Transaction) throws {
    for table in GuardedTable.allCases {
      let rows = try transaction.query("SELECT \(table.key.joined(separator: ", ")) FROM \(table.rawValue)")
      for row in rows { try guardRow(table, row.values, in: transaction) }
    }
  }

  /// What is wrong with a row beside the chain, with its name; nil when nothing is.
  func strangeRow(in transaction: any Transaction) throws -> String? {
    var codes: [String: [UInt8]] = [:]
    for row in try transaction.query("SELECT place, code FROM log_codes") { codes[row.text(0) ?? "?"] = row.blob(1) ?? [] }
    for table in GuardedTable.allCases {
      for row in try transaction.query("SELECT \(table.columns) FROM \(table.rawValue)") {
        let place = table.place(row.values.prefix(table.key.count))
        guard let code = codes.removeValue(forKey: place) else { return "the row \(place) was added or renamed" }
        if !constantTimeEquals(code, self.code(table, row)) { return "the row \(place) was changed" }
      }
    }
    return codes.keys.sorted().first.map { "the row \($0) was removed or renamed" }
  }

  /// Stores a small setting of this module; nil removes it.
  func setState(_ name: String, _ value: String?, in transaction: any Transaction) throws {
    if let value {
      try transaction.execute(
        "INSERT INTO log_state(name, value) VALUES ($1, $2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        [.text(name), .text(value)])
    } else {
      try transaction.execute("DELETE FROM log_state WHERE name = $1", [.text(name)])
    }
    try guardRow(.state, [.text(name)], in: transaction)
  }
}
