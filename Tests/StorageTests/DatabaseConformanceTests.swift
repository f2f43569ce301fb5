import DatabaseTestSupport
import Storage
import TestBasics
import Testing

/// What both databases promise.
@Suite struct DatabaseConformanceTests {
  struct Refusal: Error {}

  static let dialects: [Dialect] = PostgreSQLServer.isInstalled ? [.sqlite, .postgresql] : [.sqlite]

  private let folder = TemporaryFolder()

  private static let steps = [
    Migration(1) { ["CREATE TABLE item(id BIGINT PRIMARY KEY, name TEXT NOT NULL, body \($0.blobType), weight DOUBLE PRECISION)"] },
    Migration(2) { _ in ["CREATE TABLE second(x BIGINT)"] },
  ]

  private func empty(_ dialect: Dialect) throws -> any Database {
    switch dialect {
    case .sqlite: try SQLiteDatabase(path: folder.path + "/jobs.sqlite")
    case .postgresql: try PostgreSQLDatabase(try #require(PostgreSQLServer.shared).configuration())
    }
  }

  private func database(_ dialect: Dialect) throws -> any Database {
    let database = try empty(dialect)
    try database.migrate(module: "test", Self.steps)
    return database
  }

  @Test(arguments: dialects) func valuesComeBackAsTheyWereWritten(_ dialect: Dialect) throws {
    let database = try database(dialect)
    let values: [[SQLValue]] = [
      [.integer(Int64.max), .text("żółć 🎬 'quoted'"), .blob([0, 255, 1]), .real(0.1)],
      [.integer(Int64.min), .text(""), .blob([]), .null],
    ]
    try database.write { transaction in
      // Parameters out of order and twice: SQLite numbers names by appearance.
      for row in values {
        try transaction.execute("INSERT INTO item(name, id, body, weight) VALUES ($2, $1, $3, $4)", row)
      }
    }
    let found = try database.read { try $0.query("SELECT id, name, body, weight FROM item ORDER BY id DESC") }
    #expect(found.map(\.values) == values)
  }

  @Test(arguments: dialects) func failedBodyLeavesNothing(_ dialect: Dialect) throws {
    let database = try database(dialect)
    #expect(throws: Refusal.self) {
      try database.write { transaction in
        try transaction.execute("INSERT INTO item(id, name) VALUES (1, 'a')")
        throw Refusal()
      }
    }
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == 0)
  }

  @Test(arguments: dialects) func constraintsAreNamedAndReadersCannotWrite(_ dialect: Dialect) throws {
    let database = try database(dialect)
    let twice = #expect(throws: StorageError.self) {
      try database.write { transaction in
        try transaction.execute("INSERT INTO item(id, name) VALUES (1, 'a')")
        try transaction.execute("INSERT INTO item(id, name) VALUES (1, 'b')")
      }
    }
    #expect(twice?.code == .constraint)
    #expect(throws: StorageError.self) { try database.read { try $0.execute("DELETE FROM item") } }
  }

  @Test("a newer schema is refused, an older one only by who reads, and reading changes neither", arguments: dialects)
  func versions(_ dialect: Dialect) throws {
    let database = try empty(dialect)
    #expect(try database.isEmpty() && !database.hasSchema(module: "test", Self.steps) && database.schemaVersion(of: "test") == 0)
    #expect(try database.isEmpty())
    try database.migrate(module: "test", [Self.steps[0]])
    let older = #expect(throws: StorageError.self) { try database.hasSchema(module: "test", Self.steps) }
    #expect(older?.code == .olderSchema && older?.exitStatus == 78 && older?.advice?.contains("reel worker") == true)
    #expect(try database.schemaVersion(of: "test") == 1 && !database.isEmpty() && !database.hasSchema(module: "other", Self.steps))
    try database.migrate(module: "test", Self.steps)
    #expect(try database.hasSchema(module: "test", Self.steps))
    for attempt in [
      { _ = try database.hasSchema(module: "test", [Self.steps[0]]) }, { try database.migrate(module: "test", [Self.steps[0]]) },
    ] {
      let newer = #expect(throws: StorageError.self) { try attempt() }
      #expect(newer?.code == .newerSchema && newer?.exitStatus == 78 && newer?.advice == "update reel")
    }
    #expect(try database.schemaVersion(of: "test") == 2)
  }

  @Test(arguments: dialects) func failedMigrationLeavesTheOldVersion(_ dialect: Dialect) throws {
    let database = try database(dialect)
    #expect(throws: StorageError.self) {
      try database.migrate(module: "bad", [Migration(1) { _ in ["CREATE TABLE c(x BIGINT)", "CREATE TABLE"] }])
    }
    #expect(try database.schemaVersion(of: "bad") == 0)
    #expect(throws: StorageError.self) { try database.read { try $0.query("SELECT * FROM c") } }
  }
}
