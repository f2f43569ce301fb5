import Crypto
import DatabaseTestSupport
import Glibc
import MetadataLog
import Storage
import Testing

struct RetentionTests {
  /// The sealed payloads and wrapped keys of the entries that `condition` selects, and the plaintexts.
  private func secrets(_ fixture: LogFixture, _ condition: String) throws -> [[UInt8]] {
    try fixture.database.read { transaction in
      try transaction.query("SELECT sealed FROM log_events WHERE \(condition)").compactMap { $0.blob(0) }
        + transaction.query("SELECT wrapped FROM log_keys WHERE id IN (SELECT key_id FROM log_events WHERE \(condition))").compactMap {
          $0.blob(0)
        }
    }
  }

  @Test("execution logs are gone within 24 hours: rows, sealed bytes and keys; their hashes stay")
  func purge() throws {
    let fixture = try LogFixture()
    for hour in 0..<30 {
      if hour > 0 { fixture.clock.advance(seconds: 3600) }
      try fixture.log.append(sampleEvents(job: "hour\(hour)"))
      try fixture.log.purge()
      // At no time is an execution event older than 24 hours.
      let oldest = try fixture.log.entries().filter { $0.event.kind.retention == .execution }.map(\.timeMicroseconds).min()
      #expect(try #require(oldest) > fixture.clock.microseconds() - 86_400_000_000)
    }
    let secrets = try secrets(fixture, "retention = 'execution'")
    #expect(secrets.count > 40 && secrets.allSatisfy { fixture.filesContain($0) })
    fixture.clock.advance(seconds: 86_400)
    #expect(try fixture.log.purge() == 48)
    #expect(secrets.allSatisfy { !fixture.filesContain($0) })
    #expect(try !fixture.log.entries().contains { $0.event.kind.retention == .execution })
    let result = try fixture.log.verify()
    #expect(result.fault == nil && result.goneEntries == 60)
    // The class itself and its project are gone from the rows too.
    #expect(try fixture.database.read { try $0.integer("SELECT count(*) FROM log_events WHERE retention = 'execution'") } == 0)
    fixture.clock.advance(seconds: 1200 * 86_400)
    try fixture.log.purge()
    #expect(try fixture.log.verify().fault == nil)
    // A log that only ages keeps one tombstone, and the note of the purge behind it.
    let tombstones = try fixture.database.read { try $0.integer("SELECT count(*) FROM log_events WHERE kind IS NULL") }
    #expect(tombstones == 1)
  }

  @Test("retention by tier")
  func tiers() throws {
    let fixture = try LogFixture { $0.retention.historySeconds = 7 * 86_400 }
    try fixture.log.append(sampleEvents())
    fixture.clock.advance(seconds: 6 * 86_400 + 86_399)
    try fixture.log.purge()
    #expect(try fixture.log.entries().contains { $0.event.kind == .jobFinished })
    fixture.clock.advance(seconds: 1)
    try fixture.log.purge()
    #expect(try !fixture.log.entries().contains { $0.event.kind == .jobFinished })
    #expect(try fixture.log.entries().contains { $0.event.kind == .moderationVerdict })
  }

  @Test("what is under legal hold outlives purge and erasure, until it is released")
  func holds() throws {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents(project: "held"))
    try fixture.log.append(sampleEvents(project: "free"))
    let hold = try fixture.log.placeHold(project: "held", retention: .moderation, reason: "case 12")
    #expect(try fixture.log.holds() == [hold])
    let report = try fixture.log.erase(project: "held")
    #expect(report.events == 6 && report.heldEvents == 1)
    fixture.clock.advance(seconds: 400 * 86_400)
    try fixture.log.purge()
    #expect(try fixture.log.entries().filter { $0.event.kind == .moderationVerdict }.map(\.event.project) == ["held"])
    try fixture.log.releaseHold(hold.id)
    try fixture.log.purge()
    #expect(try !fixture.log.entries().contains { $0.event.kind == .moderationVerdict })
    #expect(try fixture.log.verify().fault == nil)
    #expect(throws: MetadataLogError.self) { try fixture.log.releaseHold(hold.id) }
  }

  @Test("an erased project leaves nothing but a hash, and the others are whole")
  func erase() throws {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents(project: "Zebra crossing"))
    try fixture.log.append(sampleEvents(project: "kept"))
    try fixture.log.append(sampleEvents(project: "Zebra crossing"))
    let secrets = try secrets(fixture, "project = 'Zebra crossing'") + [Array("Zebra crossing".utf8)]
    #expect(secrets.count > 14 && secrets.allSatisfy { fixture.filesContain($0) })
    let report = try fixture.log.erase(project: "Zebra crossing")
    #expect(report.events == 14 && report.heldEvents == 0)
    #expect(secrets.allSatisfy { !fixture.filesContain($0) })
    #expect(try fixture.log.entries().filter { $0.event.project == "kept" }.map(\.event) == sampleEvents(project: "kept"))
    #expect(try fixture.log.verify().fault == nil)
    #expect(try fixture.log.pendingErasures() == [])
    // The name may be used again.
    try fixture.log.append(sampleEvents(project: "Zebra crossing"))
    #expect(try fixture.log.verify().fault == nil)
  }

  @Test("an erasure that was interrupted is found and repeated")
  func interruptedErasure() throws {
    struct Crash: Error {}
    final class Participant: ErasureParticipant {
      let crashes: Bool
      init(crashes: Bool) { self.crashes = crashes }
      func count(of project: String) throws -> ErasedThings { ErasedThings() }
      func removeFiles(of project: String, while mayGo: () throws -> Bool) throws -> ErasedThings {
        #expect(try mayGo())
        if crashes { throw Crash() }
        return ErasedThings()
      }
      func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedRows {
        ErasedRows(jobs: Int64(try transaction.execute("DELETE FROM things WHERE project = $1", [.text(project)])))
      }
    }
    let fixture = try LogFixture()
    _ = try fixture.database.write { try $0.execute("CREATE TABLE things(project TEXT)") }
    _ = try fixture.database.write { try $0.execute("INSERT INTO things VALUES ('p'), ('q')") }
    try fixture.log.append(sampleEvents(project: "p"))
    #expect(throws: Crash.self) { try fixture.log.erase(project: "p", participants: [Participant(crashes: true)]) }
    #expect(try fixture.log.pendingErasures() == ["p"])
    // Files may have gone already: a hold would promise what it cannot keep. Other projects are not concerned.
    for project in ["p", nil] {
      let error = #expect(throws: MetadataLogError.self) {
        try fixture.log.placeHold(project: project, retention: nil, reason: "case 14")
      }
      #expect(error?.exitStatus == 75)
    }
    let hold = try fixture.log.placeHold(project: "q", retention: nil, reason: "case 14")
    try fixture.log.releaseHold(hold.id)
    let reopened = try MetadataLog(database: fixture.database, masterKey: fixture.key, clock: fixture.clock)
    for project in try reopened.pendingErasures() { try reopened.erase(project: project, participants: [Participant(crashes: false)]) }
    #expect(try reopened.pendingErasures() == [])
    #expect(try fixture.database.read { try $0.query("SELECT project FROM things") }.map { $0.text(0) } == ["q"])
    #expect(try !reopened.entries().contains { $0.event.project == "p" })
  }
}
