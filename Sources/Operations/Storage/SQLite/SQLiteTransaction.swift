/// A transaction on a SQLite connection.
final class SQLiteTransaction: Transaction {
  let dialect = Dialect.sqlite
  private let connection: SQLiteConnection
  /// The bells to ring after the commit.
  private(set) var bells: Set<String> = []

  private let lockPath: (Int64) -> String
  private var locks: [SQLiteSessionLock] = []

  init(_ connection: SQLiteConnection, lockPath: @escaping (Int64) -> String) {
    self.connection = connection
    self.lockPath = lockPath
  }

  func execute(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> Int { try connection.execute(sql, values) }

  func query(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> [Row] { try connection.query(sql, values) }

  func ring(_ bell: String) throws(StorageError) {
    try BellName.check(bell)
    bells.insert(bell)
  }

  func takeLock(_ key: Int64) throws(StorageError) -> Bool {
    guard let lock = try SQLiteSessionLock.take(lockPath(key)) else { return false }
    locks.append(lock)
    return true
  }
}

/// Bells are named in file names and as PostgreSQL channels: no quoting must ever be needed.
enum BellName {
  static func check(_ bell: String) throws(StorageError) {
    let isPlain = bell.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
    guard isPlain, (1...40).contains(bell.utf8.count) else {
      throw StorageError(.misuse, "cannot ring", reason: "a bell's name is 1–40 of a-z, 0-9 and _")
    }
  }
}
