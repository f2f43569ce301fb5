internal import CSQLite
import Glibc

/// One SQLite connection with its prepared statements. Used by one thread at a time; the owner sees to that.
final class SQLiteConnection {
  private let handle: OpaquePointer
  private let path: String
  private var statements: [String: SQLiteStatement] = [:]
  /// The level set last; changing it costs a statement.
  private var synchronous: Durability = .powerSafe
  private let isPowerSafe: Bool

  /// Opens an existing file.
  init(path: String, configuration: SQLiteConfiguration, readOnly: Bool) throws(StorageError) {
    var opened: OpaquePointer?
    // A reader is opened for writing too: only then can it build the WAL index when it comes first; query_only keeps it from writing.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
    let result = sqlite3_open_v2(path, &opened, flags, nil)
    guard result == SQLITE_OK, let opened else {
      let error = StorageError.sqlite(
        result, "cannot open the store", path: path, message: opened.map { String(cString: sqlite3_errmsg($0)) })
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    self.path = path
    isPowerSafe = configuration.isPowerSafe
    sqlite3_extended_result_codes(handle, 1)
    waitWhenBusy(milliseconds: configuration.busyMilliseconds)
    try run("PRAGMA journal_mode = WAL")
    try run(isPowerSafe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
    try run("PRAGMA foreign_keys = ON")
    try run("PRAGMA trusted_schema = OFF")
    try run("PRAGMA cache_size = -\(configuration.cacheKibibytes)")
    try run("PRAGMA wal_autocheckpoint = \(configuration.checkpointPages)")
    try run("PRAGMA journal_size_limit = 16777216")
    try run("PRAGMA temp_store = MEMORY")
    if configuration.secureDelete { try run("PRAGMA secure_delete = ON") }
    if readOnly { try run("PRAGMA query_only = ON") }
  }

  deinit {
    statements.removeAll()
    sqlite3_close_v2(handle)
  }

  /// SQLite's own waiting sleeps up to 100 ms between two tries, which is when another process gets the lock again and
  /// again; at short intervals whoever waits has it soon after it is free, and a try costs a few microseconds.
  private func waitWhenBusy(milliseconds: Int) {
    let limit = UnsafeMutableRawPointer(bitPattern: max(1, milliseconds))
    sqlite3_busy_handler(
      handle,
      { limit, tries in
        guard Int(tries) < Int(bitPattern: limit) + 400 else { return 0 }
        // A tenth of a second of short naps, which outlasts most transactions of others.
        usleep(tries < 400 ? 250 : 1000)
        return 1
      }, limit)
  }

  /// Runs one or more statements without parameters, ignoring their rows.
  func run(_ sql: String) throws(StorageError) {
    let result = sqlite3_exec(handle, sql, nil, nil, nil)
    if result != SQLITE_OK { throw error(result, sql) }
  }

  func setDurability(_ durability: Durability) throws(StorageError) {
    guard durability != synchronous, isPowerSafe else { return }
    try run(durability == .powerSafe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
    synchronous = durability
  }

  /// Whether a transaction is open. A full disk or an I/O error may have rolled it back already.
  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  func rollback() {
    if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
  }

  func execute(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> Int {
    let statement = try prepare(sql)
    defer { statement.reset() }
    guard statement.bind(values) else { throw wrongValues(sql, values.count) }
    var result = sqlite3_step(statement.handle)
    while result == SQLITE_ROW { result = sqlite3_step(statement.handle) }
    guard result == SQLITE_DONE else { throw error(result, sql) }
    return Int(sqlite3_changes(handle))
  }

  func query(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> [Row] {
    let statement = try prepare(sql)
    defer { statement.reset() }
    guard statement.bind(values) else { throw wrongValues(sql, values.count) }
    var rows: [Row] = []
    var result = sqlite3_step(statement.handle)
    while result == SQLITE_ROW {
      rows.append(statement.row())
      result = sqlite3_step(statement.handle)
    }
    guard result == SQLITE_DONE else { throw error(result, sql) }
    return rows
  }

  private func prepare(_ sql: String) throws(StorageError) -> SQLiteStatement {
    if let statement = statements[sql] { return statement }
    var prepared: OpaquePointer?
    let result = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard result == SQLITE_OK else { throw error(result, sql) }
    guard let prepared else { throw StorageError(.misuse, "cannot run a statement", path: path, reason: "it is empty") }
    let statement = SQLiteStatement(prepared)
    // Modules use a few dozen fixed texts; a caller that builds texts must not make this grow without bound.
    if statements.count >= 256 { statements.removeAll(keepingCapacity: true) }
    statements[sql] = statement
    return statement
  }

  private func error(_ result: Int32, _ sql: String) -> StorageError {
    // The first words name the statement well enough; values never stand in it.
    let what = sql.split(separator: " ").prefix(3).joined(separator: " ")
    return StorageError.sqlite(result, "cannot run \(what) … on the store", path: path, message: String(cString: sqlite3_errmsg(handle)))
  }

  private func wrongValues(_ sql: String, _ count: Int) -> StorageError {
    StorageError(.misuse, "cannot bind values", path: path, reason: "\(count) values do not fit the parameters of: \(sql.prefix(60))")
  }
}
