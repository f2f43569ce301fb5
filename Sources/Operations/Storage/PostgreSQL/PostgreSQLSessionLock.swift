/// A session advisory lock on its own connection: the server frees it when the connection ends, however it ends.
final class PostgreSQLSessionLock: SessionLock {
  private let connection: Monitor<PostgreSQLConnection>

  init(_ connection: PostgreSQLConnection) { self.connection = Monitor(connection) }

  func isHeld() -> Bool {
    connection.withLock { connection in (try? connection.run("SELECT 1")) != nil }
  }
}
