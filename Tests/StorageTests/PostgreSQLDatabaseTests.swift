import DatabaseTestSupport
import Glibc
import Storage
import Testing

@Suite(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL 15 is not installed")) struct PostgreSQLDatabaseTests {
  struct Refusal: Error {}

  private func database() throws -> PostgreSQLDatabase {
    let server = try #require(PostgreSQLServer.shared)
    let database = try PostgreSQLDatabase(server.configuration())
    try database.migrate(
      module: "test",
      [Migration(1) { ["CREATE TABLE item(id BIGINT PRIMARY KEY, name TEXT NOT NULL, body \($0.blobType), weight DOUBLE PRECISION)"] }])
    return database
  }

  @Test func errorsAreNamed() throws {
    let database = try database()
    let reader = #expect(throws: StorageError.self) { try database.read { try $0.execute("DELETE FROM item") } }
    #expect(reader?.code == .denied)
    let away = #expect(throws: StorageError.self) {
      try PostgreSQLDatabase(PostgreSQLConfiguration(url: "postgresql://u:secret@/x?host=/nowhere"))
    }
    #expect(away?.isRetriable == true)
    #expect(away.map { !"\($0)".contains("secret") } == true)
  }

  @Test("a transaction begins with its first statement: whichever fails there, nothing stays open and the next one works")
  func failuresOfTheFirstStatement() throws {
    let database = try database()
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND query LIKE '%item_flight%'"
    for sql in ["SELEC item_flight", "SELECT name FROM item_flight", "SELECT 1 / length('') AS item_flight"] {
      for _ in 0..<2 {
        #expect(throws: StorageError.self) { try database.read { try $0.query(sql) } }
        #expect(throws: StorageError.self) { try database.write { try $0.query(sql) } }
        // An error that the body swallows keeps nothing either.
        try database.write(.crashSafe) { transaction in
          _ = try? transaction.execute("INSERT INTO item(id, name) VALUES ($1, 'x')", [.integer(1)])
          _ = try? transaction.query(sql)
        }
      }
    }
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == 0)
    #expect(try database.read { try $0.integer(sessions) } == 0)
    // Without a statement nothing is sent, and reading may not write, not even first.
    try database.write { _ in }
    try database.read { _ in }
    #expect(throws: StorageError.self) { try database.read { try $0.execute("INSERT INTO item(id, name) VALUES (2, 'y')") } }
    try database.write(.crashSafe) { transaction in
      let lazily = try transaction.query("SHOW synchronous_commit").first?.text(0)
      #expect(lazily == "off")
      try transaction.execute("INSERT INTO item(id, name) VALUES (3, 'z')")
    }
    let usual = try database.write { try $0.query("SHOW synchronous_commit").first?.text(0) }
    #expect(usual == "on")
    #expect(try database.read { try $0.integer("SELECT id FROM item") } == 3)
  }

  @Test("a bell alone rings, and many statements in turn keep their answers apart")
  func flights() throws {
    let database = try database()
    let bell = try database.doorbell("alone")
    try database.write { try $0.ring("alone") }
    #expect(bell.wait(milliseconds: 5000))
    // More than the connection keeps prepared.
    for number in 0..<600 {
      #expect(try database.read { try $0.integer("SELECT \(number) + $1", [.integer(1)]) } == Int64(number) + 1)
    }
    try database.write { transaction in
      for number in 0..<50 {
        let sql = "INSERT INTO item(id, name) VALUES ($1, 'n\(number)') RETURNING id"
        let answer = try transaction.integer(sql, [.integer(Int64(number))])
        #expect(answer == Int64(number))
      }
    }
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == 50)
  }

  @Test func bellsRingAfterCommitOnly() throws {
    let database = try database()
    let bell = try database.doorbell("jobs_test")
    #expect(throws: Refusal.self) {
      try database.write { transaction in
        try transaction.ring("jobs_test")
        throw Refusal()
      }
    }
    #expect(!bell.wait(milliseconds: 0))
    try database.write { try $0.ring("jobs_test") }
    #expect(bell.wait(milliseconds: 10_000))
    bell.wake()
    #expect(bell.wait(milliseconds: 10_000))
  }

  @Test func sessionLocksAreFreedWithTheirOwner() throws {
    let database = try database()
    var lock = try database.sessionLock(77)
    #expect(lock?.isHeld() == true)
    #expect(try database.sessionLock(77) == nil)
    #expect(try database.write { try $0.takeLock(77) } == false)
    lock = nil
    // The server notices the closed socket in its own time.
    var isFree = false
    for _ in 0..<100 where !isFree {
      usleep(20_000)
      isFree = try database.write { try $0.takeLock(77) }
    }
    #expect(isFree)
  }

  /// Own server: the others' tests must not see it go.
  @Test func connectionsRecoverFromARestart() throws {
    let server = try PostgreSQLServer()
    let database = try PostgreSQLDatabase(server.configuration())
    try database.migrate(module: "test", [Migration(1) { _ in ["CREATE TABLE item(id BIGINT)"] }])
    let bell = try database.doorbell("jobs")
    let lock = try #require(try database.sessionLock(5))
    server.restart()
    #expect(!lock.isHeld())
    try database.write { transaction in
      try transaction.execute("INSERT INTO item(id) VALUES (1)")
      try transaction.ring("jobs")
    }
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == 1)
    // It wakes for the lost connection and again when it listens anew; then it is quiet.
    #expect(bell.wait(milliseconds: 10_000))
    while bell.wait(milliseconds: 100) {}
    try database.write { try $0.ring("jobs") }
    #expect(bell.wait(milliseconds: 10_000))
    server.stop()
    let error = #expect(throws: StorageError.self) { try database.write { try $0.execute("DELETE FROM item") } }
    #expect(error?.code == .connectionLost)
    server.start()
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == 1)
  }
}
