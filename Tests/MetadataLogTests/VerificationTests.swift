import Crypto
import DatabaseTestSupport
import MetadataLog
import Storage
import Testing
import Transfer

struct VerificationTests {
  @Test(
    "a change is found and its entry named",
    arguments: [
      ("DELETE FROM log_events WHERE sequence = 3", 3),
      ("UPDATE log_events SET time_us = time_us + 1 WHERE sequence = 4", 4),
      ("UPDATE log_events SET project = 'x' WHERE sequence = 5", 5),
      ("UPDATE log_events SET kind = 'job.resumed' WHERE sequence = 2", 2),
      ("UPDATE log_events SET kind = 'job.unknown' WHERE sequence = 2", 2),
      ("UPDATE log_events SET retention = 'account' WHERE sequence = 1", 1),
      ("UPDATE log_events SET sealed = (SELECT sealed FROM log_events WHERE sequence = 4) WHERE sequence = 1", 1),
      ("UPDATE log_events SET mac = zeroblob(16) WHERE sequence = 6", 6),
      ("UPDATE log_events SET row_hash = zeroblob(32) WHERE sequence = 6", 6),
      (
        "UPDATE log_events SET kind = NULL, time_us = NULL, retention = NULL, project = NULL, key_id = NULL, sealed = NULL WHERE sequence = 4",
        4
      ),
      ("UPDATE log_events SET sequence = 99 WHERE sequence = 5", 5),
      ("DELETE FROM log_events WHERE sequence = 14", 14),
      ("DELETE FROM log_events WHERE sequence > 10", 11),
      ("DELETE FROM log_events", 1),
      ("UPDATE log_keys SET wrapped = zeroblob(72) WHERE id = 1", 1),
      ("DELETE FROM log_keys WHERE id = 1", 1),
      ("INSERT INTO log_outbox(sequence, priority, state) VALUES (77, 0, 0)", 77),
    ] as [(String, Int64)])
  func named(sql: String, sequence: Int64) throws {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents() + sampleEvents())
    #expect(try fixture.log.verify().fault == nil)
    _ = try fixture.database.write { try $0.execute(sql) }
    #expect(try fixture.log.verify().fault?.sequence == sequence)
  }

  @Test("a cut end, a widened tombstone, an old head")
  func ends() throws {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents())
    _ = try fixture.database.write { try $0.execute("UPDATE log_head SET sequence = 6 WHERE id = 1") }
    #expect(try fixture.log.verify().fault != nil)
    #expect(throws: MetadataLogError.self) { try fixture.log.append(sampleEvents()) }
    let other = try LogFixture()
    try other.log.append(sampleEvents(project: "gone"))
    try other.log.append(sampleEvents(project: "kept"))
    try other.log.erase(project: "gone")
    #expect(try other.log.verify().fault == nil)
    _ = try other.database.write { try $0.execute("DELETE FROM log_events WHERE sequence = 8") }
    _ = try other.database.write { try $0.execute("UPDATE log_events SET last_sequence = 8 WHERE sequence = 1") }
    #expect(try other.log.verify().fault?.sequence == 1)
  }

  @Test("200 random byte flips in the file: the entry is named, or the file refused, or nothing of the log has changed")
  func byteFlips() throws {
    let fixture = try LogFixture()
    try fixture.log.append((0..<12).flatMap { sampleEvents(job: "j\($0)", project: $0 % 3 < 2 ? "a" : "b") })
    try fixture.log.erase(project: "b")
    // Rows in the tables beside the chain.
    _ = try fixture.log.placeHold(project: "a", retention: nil, reason: "audit")
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try fixture.log.setConsent(true)
    _ = try CreatorRegistry(fixture.log).enrol("anna")
    try fixture.database.write { try fixture.log.meter(Usage(), job: "j1", project: "a", in: $0) }
    try fixture.log.append(sampleEvents())
    try fixture.database.truncateLog()
    let rows = try VerificationTests.rows(fixture.database)
    let original = LogFixture.read(fixture.database.path)
    let entries = try fixture.log.entries()
    let counts = try fixture.log.counts()
    var generator = KeyedGenerator(secret: SecretBytes([7]), label: "flips")
    var found = 0
    var named = 0
    for _ in 0..<200 {
      var bytes = original
      let place = Int(generator.uniform(below: UInt32(bytes.count)))
      bytes[place] ^= UInt8(1 + generator.uniform(below: 255))
      let folder = TemporaryFolder()
      LogFixture.write(bytes, to: "\(folder.path)/jobs.sqlite")
      do {
        let database = try SQLiteDatabase(path: "\(folder.path)/jobs.sqlite")
        let log = try MetadataLog(database: database, masterKey: fixture.key, clock: fixture.clock)
        if let fault = try log.verify().fault {
          found += 1
          if fault.sequence != nil { named += 1 }
        } else {
          // The flip fell into bytes that carry nothing, or into another table's.
          #expect(try log.entries() == entries)
          #expect(try log.counts() == counts)
          #expect(try VerificationTests.rows(database) == rows)
        }
      } catch {
        found += 1
      }
    }
    #expect(found > 10 && named > 3)
  }

  @Test(
    "a change beside the chain is found and its row named",
    arguments: [
      ("UPDATE log_holds SET reason = 'x'", "log_holds 1"), ("DELETE FROM log_holds", "log_holds 1"),
      ("UPDATE log_state SET value = 'x' WHERE name = 'installation'", "log_state installation"),
      ("UPDATE log_destinations SET path = '/x'", "log_destinations https://cloud.example reporting"),
      ("UPDATE log_usage SET jobs = jobs + 1", "log_usage 20454 a"), ("UPDATE creator_people SET enrolled_us = 1", "creator_people anna"),
      ("INSERT INTO log_erasures(project, started_us) VALUES ('b', 1)", "log_erasures b"),
    ])
  func besideTheChain(_ sql: String, _ name: String) throws {
    let fixture = try LogFixture()
    _ = try fixture.log.placeHold(project: "a", retention: nil, reason: "audit")
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try fixture.log.setConsent(true)
    _ = try CreatorRegistry(fixture.log).enrol("anna")
    try fixture.database.write { try fixture.log.meter(Usage(), job: "j1", project: "a", in: $0) }
    #expect(try fixture.log.verify().fault == nil)
    _ = try fixture.database.write { try $0.execute(sql) }
    let reason = try fixture.log.verify().fault?.reason ?? "nothing"
    #expect(reason.contains(name), "\(reason)")
  }

  @Test("a store of version 1 gets its codes when it is opened")
  func olderSchema() throws {
    let fixture = try LogFixture()
    _ = try fixture.log.placeHold(project: "a", retention: nil, reason: "audit")
    try fixture.database.write { transaction in
      try transaction.execute("DROP TABLE log_codes")
      try transaction.execute("UPDATE schema_version SET version = 1 WHERE module = 'log'")
    }
    let log = try MetadataLog(database: fixture.database, masterKey: fixture.key, clock: fixture.clock)
    #expect(try log.verify().fault == nil)
    #expect(try log.holds().count == 1)
  }

  /// Every row of every table.
  private static func rows(_ database: SQLiteDatabase) throws -> [String: Set<Row>] {
    try database.read { transaction in
      var result: [String: Set<Row>] = [:]
      for table in try transaction.query("SELECT name FROM sqlite_master WHERE type = 'table'").compactMap({ $0.text(0) }) {
        result[table] = Set(try transaction.query("SELECT * FROM \(table)"))
      }
      return result
    }
  }
}
