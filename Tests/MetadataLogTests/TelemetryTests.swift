import Crypto
import DatabaseTestSupport
import Glibc
import LoopbackServer
import MetadataLog
import PositionedJSON
import Storage
import Synchronization
import TestBasics
import Testing
import Transfer

struct TelemetryTests {
  private func connected(_ cloud: HostileCloud) throws -> (LogFixture, TelemetryExporter) {
    let fixture = try LogFixture()
    try fixture.log.register(TransferURL("https://otel.example"), for: .telemetry)
    try fixture.log.setConsent(true)
    return (fixture, try TelemetryExporter(log: fixture.log, transport: cloud))
  }

  private func sent(_ cloud: HostileCloud) -> Int { cloud.state.withLock { $0.telemetry } }

  @Test("nothing goes out before consent and destination, of what was before them, or after consent was withdrawn")
  func consent() throws {
    let fixture = try LogFixture()
    let cloud = HostileCloud()
    let exporter = try TelemetryExporter(log: fixture.log, transport: cloud)
    try fixture.log.append(sampleEvents(job: "early"))
    #expect(try exporter.drain().last == .off)
    try fixture.log.register(TransferURL("https://otel.example"), for: .telemetry)
    #expect(try exporter.drain().last == .off)
    try fixture.log.setConsent(true)
    #expect(try exporter.drain() == (0, .idle))
    #expect(cloud.state.withLock { $0.requests } == 0)
    // Two of the seven are of kinds that never leave this machine.
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain() == (5, .idle))
    #expect(sent(cloud) == 5)
    try fixture.log.append(sampleEvents())
    try fixture.log.setConsent(false)
    #expect(try exporter.drain().last == .off)
    try fixture.log.setConsent(true)
    #expect(try exporter.drain() == (0, .idle), "what happened without consent stays here")
    try fixture.log.unregister(.telemetry)
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain().last == .off)
    #expect(sent(cloud) == 5)
    #expect(try fixture.log.sentBatches().map(\.digest) == cloud.state.withLock { $0.receipts })
    #expect(try fixture.log.verify().fault == nil)
  }

  @Test("another collector gets nothing of what happened before it was registered")
  func anotherCollector() throws {
    let cloud = HostileCloud()
    let (fixture, exporter) = try connected(cloud)
    try fixture.log.append(sampleEvents())
    try fixture.log.register(TransferURL("https://other.example"), for: .telemetry)
    #expect(try exporter.drain() == (0, .idle))
    #expect(sent(cloud) == 0)
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain() == (5, .idle))
    #expect(try fixture.log.sentBatches().map(\.origin) == ["https://other.example"])
  }

  @Test("exporters that send at the same time write one ledger, on PostgreSQL too", .enabled(if: PostgreSQLServer.isInstalled))
  func exportersAtOnce() throws {
    let server = try #require(PostgreSQLServer.shared)
    let log = try MetadataLog(
      database: PostgreSQLDatabase(server.configuration()), masterKey: SecretBytes(randomByteCount: 32), clock: FakeClock())
    try log.register(TransferURL("https://otel.example"), for: .telemetry)
    try log.setConsent(true)
    let cloud = HostileCloud()
    for _ in 0..<5 {
      try log.append(sampleEvents())
      try runThreads(4) { _ in
        #expect(throws: Never.self) { try TelemetryExporter(log: log, transport: cloud).drain() }
      }
    }
    let receipts = cloud.state.withLock { $0.receipts }
    #expect(receipts.count >= 5)
    #expect(try log.sentBatches().map(\.digest).sorted() == receipts.sorted())
    #expect(try log.verify().fault == nil)
  }

  @Test("batches, oldest first; a collector that is away is tried again, what it refuses and what grows old is left out")
  func faults() throws {
    let cloud = HostileCloud()
    let (fixture, exporter) = try connected(cloud)
    try fixture.log.append((0..<1200).map { LogEvent(.jobStarted, [.job: .text("j\($0)"), .attempt: 1]) })
    cloud.state.withLock { $0.fault = .unavailable }
    guard case .wait(let seconds) = try exporter.step() else {
      Issue.record("it does not wait")
      return
    }
    #expect(seconds >= 45, "Retry-After")
    let before = cloud.state.withLock { $0.requests }
    guard case .wait = try exporter.step() else {
      Issue.record("it does not wait")
      return
    }
    #expect(cloud.state.withLock { $0.requests } == before)
    cloud.state.withLock { $0.fault = .none }
    fixture.clock.advance(seconds: 200)
    // The first entry of the log, the consent itself, is never sent.
    #expect(try exporter.step() == .sent(events: 499))
    cloud.state.withLock { $0.telemetryStatus = 400 }
    #expect(try exporter.step() == .refused(events: 500))
    #expect(exporter.lastProblem?.contains("400") == true)
    cloud.state.withLock { $0.telemetryStatus = 200 }
    #expect(try exporter.drain() == (201, .idle))
    try fixture.log.append(sampleEvents())
    fixture.clock.advance(seconds: 4000)
    #expect(try exporter.drain() == (0, .idle))
    try fixture.log.append(sampleEvents())
    // Another process goes on where this one stood.
    #expect(try TelemetryExporter(log: fixture.log, transport: cloud).drain() == (5, .idle))
    #expect(sent(cloud) == 499 + 201 + 5)
  }

  @Test("over a socket: requests that a strict reader of the protocol accepts, path and destination as registered")
  func loopback() throws {
    let fixture = try LogFixture()
    let server = try LoopbackServer("otlp_collector.py", "503", "200")
    try fixture.log.register(TransferURL(server.url("/otlp/v1/logs")), for: .telemetry)
    try fixture.log.setConsent(true)
    try fixture.log.append(sampleEvents(project: "Ümlaut \"quoted\""))
    var configuration = TelemetryExporter.Configuration()
    configuration.firstPauseSeconds = 0.01
    let exporter = try TelemetryExporter(log: fixture.log, configuration: configuration)
    guard case .wait = try exporter.step() else {
      Issue.record("503 is not waited for")
      return
    }
    fixture.clock.advance(seconds: 1)
    #expect(try exporter.drain() == (5, .idle))
    let client = try fixture.log.makeClient()
    let answer = try client.send(HTTPRequest("GET", TransferURL(server.url("/received"))))
    LogFixture.write(answer.body, to: "\(fixture.folder.path)/received.json")
    let script = """
      import json, sys
      requests = json.load(open(sys.argv[1]))
      print(*[(r["path"], r["problem"]) for r in requests])
      records = requests[-1]["records"]
      print(*[r["eventName"] for r in records])
      assert all(r["timeUnixNano"] == "1767225600000000000" for r in records)
      """
    #expect(
      try Python.run(script, "\(fixture.folder.path)/received.json")
        == """
        ('/otlp/v1/logs', None) ('/otlp/v1/logs', None)
        reelwright.job.submitted reelwright.job.started reelwright.job.progress reelwright.job.finished reelwright.output.published

        """)
  }

  @Test("an authorization that was renewed in its file is taken after a refusal, by an exporter that goes on")
  func renewedHeaders() throws {
    let fixture = try LogFixture()
    let server = try LoopbackServer("otlp_collector.py", "200", "401", "200")
    let file = fixture.folder.path + "/headers"
    func token(_ text: String) {
      LogFixture.write(Array("Authorization: Bearer \(text)\n".utf8), to: file)
      chmod(file, 0o600)
    }
    token("one")
    try fixture.log.register(TransferURL(server.url("/")), for: .telemetry)
    try fixture.log.setTelemetryHeaders(file: file)
    try fixture.log.setConsent(true)
    let exporter = try TelemetryExporter(log: fixture.log)
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain() == (5, .idle))
    try fixture.log.append(sampleEvents())
    guard case .wait = try exporter.step() else {
      Issue.record("401 is not waited for")
      return
    }
    #expect(exporter.lastProblem?.contains("401") == true && exporter.lastProblem?.contains("one") == false)
    token("two")
    fixture.clock.advance(seconds: 2)
    #expect(try exporter.drain() == (5, .idle))
    let answer = try fixture.log.makeClient().send(HTTPRequest("GET", TransferURL(server.url("/received"))))
    LogFixture.write(answer.body, to: "\(fixture.folder.path)/received.json")
    let script = "import json, sys; print([r['headers']['Authorization'] for r in json.load(open(sys.argv[1]))])"
    #expect(try Python.run(script, "\(fixture.folder.path)/received.json") == "['Bearer one', 'Bearer one', 'Bearer two']\n")
  }

  /// What a collector got: each request with its authorization.
  private func authorizations(_ cloud: HostileCloud) -> [String] {
    let wire = String(decoding: cloud.state.withLock { $0.wire }, as: UTF8.self)
    // A body has no line end after it.
    let lines = wire.replacing("POST https://", with: "\nPOST https://").split(separator: "\n")
    return lines.filter { $0.hasPrefix("POST ") || $0.hasPrefix("Authorization: ") }.map(String.init)
  }

  @Test("another collector does not get the header fields that were read for the one before from the file of the same name")
  func headersOfTheOneBefore() throws {
    let cloud = HostileCloud()
    cloud.state.withLock { $0.keepsWire = true }
    let (fixture, exporter) = try connected(cloud)
    let file = fixture.folder.path + "/headers"
    LogFixture.write(Array("Authorization: one\n".utf8), to: file)
    chmod(file, 0o600)
    try fixture.log.setTelemetryHeaders(file: file)
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain() == (5, .idle))
    LogFixture.write(Array("Authorization: two\n".utf8), to: file)
    try fixture.log.register(TransferURL("https://other.example"), for: .telemetry, headersFile: file)
    try fixture.log.append(sampleEvents())
    #expect(try exporter.drain() == (5, .idle))
    #expect(
      authorizations(cloud) == [
        "POST https://otel.example/v1/logs", "Authorization: one", "POST https://other.example/v1/logs", "Authorization: two",
      ])
  }

  @Test("a collector that is registered at any moment of a step gets its own header fields only", arguments: 1...8)
  func headersMeanwhile(read: Int) throws {
    let folder = TemporaryFolder()
    let database = InterposedDatabase(try SQLiteDatabase(path: folder.path + "/jobs.sqlite"))
    let log = try MetadataLog(database: database, masterKey: SecretBytes(randomByteCount: 32), clock: FakeClock())
    for name in ["one", "two"] {
      LogFixture.write(Array("Authorization: \(name)\n".utf8), to: "\(folder.path)/\(name)")
      chmod("\(folder.path)/\(name)", 0o600)
    }
    try log.register(TransferURL("https://one.example"), for: .telemetry, headersFile: folder.path + "/one")
    try log.setConsent(true)
    try log.append(sampleEvents())
    let cloud = HostileCloud()
    cloud.state.withLock { $0.keepsWire = true }
    let exporter = try TelemetryExporter(log: log, transport: cloud)
    database.after(read) {
      try log.register(TransferURL("https://two.example"), for: .telemetry, headersFile: folder.path + "/two")
    }
    _ = try exporter.drain()
    try log.append(sampleEvents())
    _ = try exporter.drain()
    let found = authorizations(cloud)
    #expect(!found.isEmpty)
    for (index, line) in found.enumerated() where line.hasPrefix("POST ") {
      let name = line.contains("one.example") ? "one" : "two"
      #expect(found.dropFirst(index + 1).first == "Authorization: \(name)", "\(found)")
    }
  }

  @Test("header fields that cannot be used leave the destination as it was")
  func registeredWhole() throws {
    let fixture = try LogFixture()
    let good = fixture.folder.path + "/good"
    let open = fixture.folder.path + "/open"
    for path in [good, open] { LogFixture.write(Array("Authorization: x\n".utf8), to: path) }
    chmod(good, 0o600)
    chmod(open, 0o644)
    try fixture.log.register(TransferURL("https://otel.example"), for: .telemetry, headersFile: good)
    let error = #expect(throws: MetadataLogError.self) {
      try fixture.log.register(TransferURL("https://other.example"), for: .telemetry, headersFile: open)
    }
    #expect(error?.code == .refused)
    #expect(try fixture.log.destinations().map(\.origin) == ["https://otel.example"])
    #expect(try fixture.log.telemetryHeadersFile() == good)
  }

  @Test("the keeper exports while a worker runs, and a collector that hangs delays no report")
  func keeper() throws {
    let cloud = HostileCloud()
    let (fixture, _) = try connected(cloud)
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    let keeper = try LogKeeper(fixture.log, transport: HangingCollector(cloud: cloud))
    try fixture.log.append(sampleEvents())
    keeper.start()
    for _ in 0..<1000 where cloud.state.withLock({ $0.deliveries.count < 5 || $0.telemetry < 5 }) { usleep(20_000) }
    #expect(cloud.state.withLock { $0.deliveries.count } == 5)
    #expect(sent(cloud) == 5)
    keeper.stop()
  }
}

/// A database in which something happens after the n-th read from now.
private final class InterposedDatabase: Database {
  private let base: SQLiteDatabase
  private let next = Mutex<(reads: Int, action: @Sendable () throws -> Void)?>(nil)

  init(_ base: SQLiteDatabase) { self.base = base }

  func after(_ reads: Int, _ action: @escaping @Sendable () throws -> Void) { next.withLock { $0 = (reads, action) } }

  var dialect: Dialect { base.dialect }
  var displayName: String { base.displayName }

  func write<Result>(_ durability: Durability, _ body: (any Transaction) throws -> Result) throws -> Result {
    try base.write(durability, body)
  }

  func read<Result>(_ body: (any Transaction) throws -> Result) throws -> Result {
    let result = try base.read(body)
    let action = next.withLock { next -> (@Sendable () throws -> Void)? in
      guard let (reads, action) = next else { return nil }
      next = reads > 1 ? (reads - 1, action) : nil
      return reads > 1 ? nil : action
    }
    try action?()
    return result
  }

  func doorbell(_ bell: String) throws(StorageError) -> any Doorbell { try base.doorbell(bell) }

  func sessionLock(_ key: Int64) throws(StorageError) -> (any SessionLock)? { try base.sessionLock(key) }
}

/// Takes telemetry only after reports have arrived.
private struct HangingCollector: ReportTransport {
  let cloud: HostileCloud

  func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse {
    if request.url.host == "otel.example" {
      for _ in 0..<1000 where cloud.state.withLock({ $0.deliveries.count < 5 }) { usleep(10_000) }
    }
    return try cloud.send(request)
  }
}
