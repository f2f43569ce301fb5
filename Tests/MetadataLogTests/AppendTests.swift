import Crypto
import DatabaseTestSupport
import Glibc
import MetadataLog
import Storage
import TestBasics
import Testing

struct AppendTests {
  @Test("what was appended is read back, numbered without gaps, and verified")
  func roundTrip() throws {
    let fixture = try LogFixture()
    #expect(try fixture.log.append(sampleEvents()) == Array(1...7))
    fixture.clock.advance(seconds: 1)
    #expect(try fixture.log.append(sampleEvents(project: "other")) == Array(8...14))
    let entries = try fixture.log.entries()
    #expect(entries.map(\.event) == sampleEvents() + sampleEvents(project: "other"))
    #expect(entries[0].timeMicroseconds == 1_767_225_600_000_000 && entries[7].timeMicroseconds == 1_767_225_601_000_000)
    var filter = LogFilter()
    filter.project = "other"
    filter.kind = .jobFinished
    #expect(try fixture.log.entries(filter).map(\.sequence) == [11])
    let result = try fixture.log.verify()
    #expect(result.fault == nil && result.liveEntries == 14 && result.goneEntries == 0)
    #expect(try fixture.log.counts().waiting == 0)
  }

  @Test("an event lives and dies with the transaction that it tells of")
  func transactions() throws {
    struct Failure: Error {}
    let fixture = try LogFixture()
    #expect(throws: Failure.self) {
      try fixture.database.write { transaction in
        try fixture.log.append(sampleEvents(), in: transaction)
        throw Failure()
      }
    }
    #expect(try fixture.log.append(sampleEvents()[0]) == 1)
    let reopened = try MetadataLog(database: fixture.database, masterKey: fixture.key, clock: fixture.clock)
    #expect(reopened.installation == fixture.log.installation)
    #expect(try reopened.append(sampleEvents()[1]) == 2)
    #expect(try reopened.verify().fault == nil)
  }

  @Test("threads that append at once make one chain")
  func threads() throws {
    let fixture = try LogFixture()
    let log = fixture.log
    try runThreads(4) { thread in
      for index in 0..<20 { _ = try? log.append(LogEvent(.jobStarted, [.job: .text("t\(thread)-\(index)"), .attempt: 1])) }
    }
    let entries = try log.entries()
    #expect(entries.map(\.sequence) == Array(1...80))
    #expect(Set(entries.compactMap { $0.event.fields[.job] }).count == 80)
    #expect(try log.verify().fault == nil)
  }

  @Test(
    "only the closed set is logged",
    arguments: [
      LogEvent(.jobStarted, [.job: "j"]),
      LogEvent(.jobStarted, [.job: "j", .attempt: 1, .label: "x"]),
      LogEvent(.jobStarted, [.job: "/media/anna/holiday.mp4", .attempt: 1]),
      LogEvent(.jobStarted, [.job: "holiday.mp4", .attempt: 1]),
      LogEvent(.jobStarted, [.job: "j", .attempt: "1"]),
      LogEvent(.jobStarted, [.job: "", .attempt: 1]),
      LogEvent(.jobStarted, [.job: .text(String(repeating: "x", count: 65)), .attempt: 1]),
      LogEvent(.jobFailed, [.job: "j", .task: "encode", .attempts: 1, .code: "Invalid data found in holiday.mp4"]),
      LogEvent(.jobFailed, [.job: "j", .task: "ffmpeg -i x", .attempts: 1, .code: "io"]),
      LogEvent(.jobSubmitted, [.job: "j", .task: "encode", .label: "a/b.mp4"]),
      LogEvent(.jobSubmitted, [.job: "j", .task: "encode", .label: .text(String(repeating: "x", count: 65))]),
      LogEvent(.jobSubmitted, [.job: "j", .task: "encode", .label: "line\nbreak"]),
      LogEvent(.jobSubmitted, project: "/media/anna", [.job: "j", .task: "encode"]),
      LogEvent(.outputPublished, [.output: "o", .digest: "ABC", .bytes: 1]),
    ])
  func closedSet(event: LogEvent) throws {
    let fixture = try LogFixture()
    let error = #expect(throws: MetadataLogError.self) { try fixture.log.append(event) }
    #expect(error?.code == .usage && error?.exitStatus == 64)
    let text = "\(String(describing: error))"
    #expect(!text.contains("holiday") && !text.contains("anna"))
    #expect(try fixture.log.counts().live == 0)
  }

  @Test("nothing of a payload stands in the files in clear")
  func sealedAtRest() throws {
    let fixture = try LogFixture()
    try fixture.log.append(LogEvent(.jobSubmitted, [.job: "jobWithAnUnusualName", .task: "encode", .label: "Marmalade campaign"]))
    for text in ["jobWithAnUnusualName", "Marmalade"] {
      #expect(!fixture.filesContain(Array(text.utf8)))
      #expect(!fixture.filesContain(Array(text.utf8).flatMap { [$0, 0] }))
    }
  }

  @Test("another key opens nothing")
  func foreignKey() throws {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents())
    let error = #expect(throws: MetadataLogError.self) {
      try MetadataLog(database: fixture.database, masterKey: SecretBytes(randomByteCount: 32))
    }
    #expect(error?.code == .damaged)
    #expect(throws: MetadataLogError.self) { try MetadataLog(database: fixture.database, masterKey: SecretBytes([1])) }
  }

  @Test("the key file is made once, 0600, and refused when others can read it")
  func masterKey() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/log.key"
    let key = try MasterKey.load(path)
    #expect(key.count == 32)
    #expect(try MasterKey.load(path) == key)
    #expect(chmod(path, 0o644) == 0)
    let error = #expect(throws: MetadataLogError.self) { try MasterKey.load(path) }
    #expect(error?.code == .refused)
    LogFixture.write([1, 2], to: "\(folder.path)/short.key")
    #expect(chmod("\(folder.path)/short.key", 0o600) == 0)
    let short = #expect(throws: MetadataLogError.self) { try MasterKey.load("\(folder.path)/short.key") }
    #expect(short?.code == .configuration)
  }

  @Test("the same log on PostgreSQL", .enabled(if: PostgreSQLServer.isInstalled))
  func postgreSQL() throws {
    let server = try #require(PostgreSQLServer.shared)
    let database = try PostgreSQLDatabase(server.configuration())
    let key = SecretBytes(randomByteCount: 32)
    let clock = FakeClock()
    let log = try MetadataLog(database: database, masterKey: key, clock: clock)
    try runThreads(3) { thread in
      for index in 0..<5 { _ = try? log.append(LogEvent(.jobStarted, project: "p", [.job: .text("t\(thread)-\(index)"), .attempt: 1])) }
    }
    try log.append(sampleEvents())
    #expect(try log.entries().count == 22)
    #expect(try log.verify().fault == nil)
    #expect(try log.erase(project: "p").events == 15)
    clock.advance(seconds: 86_400)
    #expect(try log.purge() == 2)
    let result = try log.verify()
    #expect(result.fault == nil && result.goneEntries == 17 && result.liveEntries == 7)
  }
}
