/// A transaction on a PostgreSQL connection.
final class PostgreSQLTransaction: Transaction {
  let dialect = Dialect.postgresql
  private let connection: PostgreSQLConnection
  private let restartGraceSeconds: Int
  /// The bells to ring at the commit.
  private(set) var bells: Set<String> = []

  init(_ connection: PostgreSQLConnection, restartGraceSeconds: Int) {
    self.connection = connection
    self.restartGraceSeconds = restartGraceSeconds
  }

  func execute(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> Int { try connection.execute(sql, values) }

  func query(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> [Row] { try connection.query(sql, values) }

  func ring(_ bell: String) throws(StorageError) {
    try BellName.check(bell)
    bells.insert(bell)
  }

  func takeLock(_ key: Int64) throws(StorageError) -> Bool {
    let sql = """
      SELECT clock_timestamp() - pg_postmaster_start_time() >= make_interval(secs => $2) AND pg_try_advisory_xact_lock($1)
      """
    return try integer(sql, [.integer(key), .real(Double(restartGraceSeconds))]) == 1
  }
}
