/// A PostgreSQL database (15 or newer) for several machines: a pool of connections, notifications, session locks.
///
/// A connection that broke is replaced at the next call; a transaction that was under way throws `connectionLost`.
public final class PostgreSQLDatabase: Database, Sendable {
  public let dialect = Dialect.postgresql
  public let displayName: String
  private let configuration: PostgreSQLConfiguration
  private let pool: Monitor<Pool>

  private struct Pool {
    var idle: [PostgreSQLConnection] = []
    var open = 0
  }

  /// Connects.
  /// - Parameter makesSchema: whether the schema is made where it is missing. Default true; without it there is nothing to read.
  /// - Throws: `connectionLost` when the server cannot be reached, `denied`, `cannotOpen`.
  public init(_ configuration: PostgreSQLConfiguration, makesSchema: Bool = true) throws(StorageError) {
    try BellName.check(configuration.schema)
    self.configuration = configuration
    let first = try PostgreSQLConnection(configuration)
    displayName = first.displayName
    if makesSchema, try first.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [.text(configuration.schema)]).isEmpty {
      // IF NOT EXISTS is not safe against itself.
      try first.run(
        "BEGIN; SELECT pg_advisory_xact_lock(7355607); CREATE SCHEMA IF NOT EXISTS \(configuration.schema); COMMIT")
    }
    pool = Monitor(Pool(idle: [first], open: 1))
  }

  public func write<Result>(_ durability: Durability, _ body: (any Transaction) throws -> Result) throws -> Result {
    let isPowerSafe = durability == .powerSafe
    return try perform(isPowerSafe ? ["BEGIN"] : PostgreSQLDatabase.beginCrashSafe, isReading: false, waitsForDisk: isPowerSafe, body)
  }

  public func read<Result>(_ body: (any Transaction) throws -> Result) throws -> Result {
    try perform(["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"], isReading: true, waitsForDisk: false, body)
  }

  public func doorbell(_ bell: String) throws(StorageError) -> any Doorbell {
    try BellName.check(bell)
    return try PostgreSQLDoorbell(configuration, bell: bell)
  }

  public func sessionLock(_ key: Int64) throws(StorageError) -> (any SessionLock)? {
    let connection = try PostgreSQLConnection(configuration)
    guard try connection.query("SELECT pg_try_advisory_lock($1)", [.integer(key)]).first?.boolean(0) == true else { return nil }
    return PostgreSQLSessionLock(connection)
  }

  private static let beginCrashSafe = ["BEGIN", "SET LOCAL synchronous_commit = off"]

  private func perform<Result>(
    _ begin: [String], isReading: Bool, waitsForDisk: Bool, _ body: (any Transaction) throws -> Result
  ) throws -> Result {
    let connection = try acquire()
    do {
      // It begins with its first statement.
      connection.runAhead(begin)
      let transaction = PostgreSQLTransaction(connection, restartGraceSeconds: configuration.restartGraceSeconds)
      let result = try body(transaction)
      if !transaction.bells.isEmpty || !connection.takeBack() {
        if isReading {
          connection.commitReading()
        } else {
          try connection.run(PostgreSQLDatabase.commit(ringing: transaction.bells, waitsForDisk: waitsForDisk))
        }
      }
      release(connection)
      return result
    } catch {
      // What cannot be rolled back cannot be used again; closing it rolls back too.
      if connection.takeBack() || (try? connection.run("ROLLBACK")) != nil { release(connection) } else { discard() }
      throw error
    }
  }

  /// Commits, and rings after that.
  ///
  /// A transaction that notifies holds a lock of the whole server until its commit has ended (PostgreSQL's
  /// `PreCommit_Notify`), so that all that ring would wait for one another's disk. One that waits for the disk therefore
  /// rings in a second transaction, which does not; both are one message, so that the server runs the second one also
  /// when this process dies after the first.
  private static func commit(ringing bells: Set<String>, waitsForDisk: Bool) -> String {
    guard !bells.isEmpty else { return "COMMIT" }
    let rings = bells.sorted().map { "NOTIFY \($0); " }.joined()
    return waitsForDisk ? "COMMIT; \(beginCrashSafe.joined(separator: "; ")); \(rings)COMMIT" : "\(rings)COMMIT"
  }

  /// A pooled connection, unless it has died since its last use, or a new one.
  private func acquire() throws(StorageError) -> PostgreSQLConnection {
    while true {
      let pooled: PostgreSQLConnection? = pool.wait { pool -> PostgreSQLConnection?? in
        if let connection = pool.idle.popLast() { return .some(connection) }
        guard pool.open < max(1, configuration.connections) else { return nil }
        pool.open += 1
        return .some(nil)
      }
      if let pooled {
        if pooled.isUsable { return pooled }
        discard()
        continue
      }
      do throws(StorageError) { return try PostgreSQLConnection(configuration) } catch {
        discard()
        throw error
      }
    }
  }

  private func release(_ connection: PostgreSQLConnection) {
    // libpq connections are not bound to a thread; the pool hands each to one caller at a time.
    nonisolated(unsafe) let connection = connection
    pool.signal { $0.idle.append(connection) }
  }

  private func discard() { pool.signal { $0.open -= 1 } }
}
