import Crypto
import DatabaseTestSupport
import FoundationEssentials
import Glibc
import LoopbackServer
import MetadataLog
import Storage
import Synchronization
import Testing
import Transfer

struct ReporterTests {
  private static let isSlow = getenv("REELWRIGHT_SLOW").map { String(cString: $0) == "1" } ?? false

  private func connect(_ fixture: LogFixture, _ url: String = "https://cloud.example/v1/events") throws {
    try fixture.log.register(TransferURL(url), for: .reporting)
    try fixture.log.setConsent(true)
  }

  @Test("24 simulated hours of a hostile receiver: every event once after dropping repeats, nothing else, the spool bounded")
  func hostileDay() throws {
    try simulate(eventsPerMinute: Self.isSlow ? 10 : 2)
  }

  private func simulate(eventsPerMinute: Int) throws {
    let fixture = try LogFixture()
    try connect(fixture)
    let cloud = HostileCloud()
    let reporter = try Reporter(log: fixture.log, transport: cloud)
    var generator = KeyedGenerator(secret: SecretBytes([1]), label: "hostile day")
    var expected = Set<String>()
    var poisoned = Set<String>()
    var largestSpool: Int64 = 0
    for minute in 0..<(24 * 60) {
      if minute % 10 == 0 {
        cloud.state.withLock {
          $0.fault = HostileCloud.Fault.allCases[Int(generator.uniform(below: UInt32(HostileCloud.Fault.allCases.count)))]
        }
      }
      // The clock jumps: two hours ahead, then back.
      if minute == 400 { fixture.clock.advance(seconds: 7200) }
      if minute == 800 { fixture.clock.advance(seconds: -7200) }
      let events = (0..<eventsPerMinute).map { index in
        LogEvent(
          index % 3 == 0 ? .jobFinished : .jobStarted,
          index % 3 == 0
            ? [.job: .text("m\(minute)-\(index)"), .task: "encode", .attempts: 1]
            : [.job: .text("m\(minute)-\(index)"), .attempt: 1])
      }
      let sequences = try fixture.log.append(events, durability: .crashSafe).map { String($0) }
      expected.formUnion(sequences)
      if minute % 200 == 7 {
        poisoned.insert(sequences[0])
        cloud.state.withLock { _ = $0.poison.insert(sequences[0]) }
      }
      for _ in 0..<6 {
        _ = try reporter.drain()
        fixture.clock.advance(seconds: 10)
      }
      if minute % 60 == 0 { largestSpool = max(largestSpool, try fixture.log.counts().waiting) }
    }
    cloud.state.withLock { $0.fault = .none }
    for _ in 0..<100 {
      _ = try reporter.drain()
      fixture.clock.advance(seconds: 60)
    }
    let state = cloud.state.withLock { $0 }
    #expect(Set(state.deliveries.keys) == expected.subtracting(poisoned))
    #expect(state.hosts == ["cloud.example"])
    let counts = try fixture.log.counts()
    #expect(counts.waiting == 0 && counts.quarantined == Int64(poisoned.count))
    #expect(largestSpool < Int64(eventsPerMinute) * 300)
    // The ledger of what was sent equals what the receiver says; a commit whose answer was lost is the receiver's only.
    let ledger = try fixture.log.sentBatches().map(\.digest)
    #expect(!ledger.isEmpty && Set(ledger).isSubset(of: Set(state.receipts)))
    #expect(try fixture.log.verify().fault == nil)
  }

  @Test("without a destination or without consent nothing is kept for sending and nothing is sent")
  func consent() throws {
    let fixture = try LogFixture()
    let cloud = HostileCloud()
    let reporter = try Reporter(log: fixture.log, transport: cloud)
    try fixture.log.append(sampleEvents())
    #expect(try reporter.step() == .off)
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try fixture.log.append(sampleEvents())
    #expect(try reporter.step() == .off)
    #expect(try fixture.log.counts().waiting == 0)
    try fixture.log.setConsent(true)
    try fixture.log.append(sampleEvents())
    // What was logged before the consent stays here; verdicts and creators never leave.
    #expect(try fixture.log.counts().waiting == 5)
    try fixture.log.setConsent(false)
    #expect(try fixture.log.counts().waiting == 0)
    #expect(try reporter.step() == .off)
    #expect(cloud.state.withLock { $0.requests } == 0)
    try fixture.log.setConsent(true)
    try fixture.log.append(sampleEvents())
    #expect(try reporter.drain().events == 5)
  }

  @Test("an unlisted host and plain http are refused")
  func destinations() throws {
    let fixture = try LogFixture()
    for url in ["http://cloud.example/v1/events", "https://cloud.example/v1/events?token=x"] {
      #expect(throws: MetadataLogError.self) { try fixture.log.register(TransferURL(url), for: .reporting) }
    }
    #expect(throws: MetadataLogError.self) { try fixture.log.destination(.reporting) }
    try connect(fixture)
    #expect(try fixture.log.destinations().map(\.origin) == ["https://cloud.example"])
    try fixture.log.register(TransferURL("https://other.example/v1/events"), for: .reporting)
    #expect(try fixture.log.destinations().map(\.origin) == ["https://other.example"])
    try fixture.log.append(sampleEvents())
    try fixture.log.unregister(.reporting)
    #expect(try fixture.log.counts().waiting == 0)
  }

  @Test("a full spool drops progress first, final states never")
  func boundedSpool() throws {
    let fixture = try LogFixture { $0.spoolEvents = 100 }
    try connect(fixture)
    for index in 0..<200 {
      try fixture.log.append(
        [
          LogEvent(.jobProgress, [.job: .text("j\(index)"), .permille: 1]), LogEvent(.jobStarted, [.job: .text("j\(index)"), .attempt: 1]),
        ] + (index % 4 == 0 ? [LogEvent(.jobFinished, [.job: .text("j\(index)"), .task: "encode", .attempts: 1])] : []),
        durability: .crashSafe)
      #expect(try fixture.log.counts().waiting <= 100)
    }
    let cloud = HostileCloud()
    let dropped = try fixture.log.droppedEvents()
    #expect(dropped == 450 - (try fixture.log.counts().waiting))
    try Reporter(log: fixture.log, transport: cloud).drain()
    let ids = Set(cloud.state.withLock { $0.deliveries.keys.compactMap { Int64($0) } })
    let entries = try fixture.log.entries()
    #expect(entries.filter { $0.event.kind == .jobFinished }.allSatisfy { ids.contains($0.sequence) })
    #expect(!entries.contains { $0.event.kind == .jobProgress && ids.contains($0.sequence) })
  }

  @Test("Retry-After and the rate are kept to")
  func rates() throws {
    let fixture = try LogFixture()
    try connect(fixture)
    let cloud = HostileCloud()
    var configuration = Reporter.Configuration()
    configuration.eventsPerSecond = 10
    configuration.burstEvents = 20
    let reporter = try Reporter(log: fixture.log, transport: cloud, configuration: configuration)
    try fixture.log.append((0..<200).map { LogEvent(.jobStarted, [.job: .text("j\($0)"), .attempt: 1]) })
    cloud.state.withLock { $0.fault = .tooMany }
    guard case .wait(let seconds) = try reporter.step() else {
      Issue.record("a 429 is no reason to wait")
      return
    }
    #expect(seconds >= 30 && seconds <= 31.5)
    for _ in 0..<29 {
      fixture.clock.advance(seconds: 1)
      _ = try reporter.step()
    }
    #expect(cloud.state.withLock { $0.requests } == 1)
    cloud.state.withLock { $0.fault = .none }
    fixture.clock.advance(seconds: 10)
    // 20 at once, then 10 a second.
    #expect(try reporter.drain().events == 20)
    fixture.clock.advance(seconds: 5)
    #expect(try reporter.drain().events == 20)
    for _ in 0..<16 {
      fixture.clock.advance(seconds: 1)
      _ = try reporter.drain()
    }
    #expect(cloud.state.withLock { $0.deliveries.count } == 200)
  }

  @Test("a purge or an erasure before sending takes the events out of the outbox")
  func erasedBeforeSending() throws {
    let fixture = try LogFixture()
    try connect(fixture)
    try fixture.log.append(sampleEvents(project: "gone") + sampleEvents(project: "kept"))
    try fixture.log.erase(project: "gone")
    let cloud = HostileCloud()
    cloud.state.withLock { $0.keepsWire = true }
    try Reporter(log: fixture.log, transport: cloud).drain()
    #expect(cloud.state.withLock { $0.deliveries.count } == 5)
    #expect(!cloud.state.withLock { $0.wire.contains(Array("gone".utf8)) })
  }

  @Test(
    "over TLS to the reference server, through every fault: each event once, signatures verified by other code",
    .enabled(if: Python.has("cryptography")))
  func referenceServer() throws {
    let fixture = try LogFixture()
    let server = try LoopbackServer("reference_cloud.py")
    try fixture.log.setCertificateAuthorities(server.certificateAuthorities)
    try connect(fixture, server.url("/v1/events"))
    let client = try fixture.log.makeClient()
    let key = Hex.encode(fixture.log.verifyingKey)
    let control = """
      {"keys": {"\(fixture.log.installation)": "\(key)"}, "anyTime": true,
       "faults": ["500", "torn", "redirect", "slow", "silent", "429"]}
      """
    _ = try client.send(HTTPRequest("POST", TransferURL(server.url("/control")), body: Array(control.utf8)))
    let events = (0..<6).flatMap { sampleEvents(job: "j\($0)") }
    try fixture.log.append(events)
    var configuration = HTTPClient.Configuration()
    configuration.addresses = .any
    configuration.certificateAuthorities = server.certificateAuthorities
    configuration.timeoutSeconds = 0.5
    let reporter = try Reporter(log: fixture.log, transport: HTTPClient(configuration))
    func keepTrying() throws {
      for _ in 0..<12 {
        _ = try reporter.drain()
        fixture.clock.advance(seconds: 400)
      }
    }
    try keepTrying()
    let poisoned = try fixture.log.append(sampleEvents(job: "poisoned"))[1]
    _ = try client.send(HTTPRequest("POST", TransferURL(server.url("/control")), body: Array("{\"poison\": [\"\(poisoned)\"]}".utf8)))
    try keepTrying()
    struct View: Decodable {
      struct Event: Decodable {}
      var events: [String: Event]
      var repeats: Int
      var problems: [String]
      var faults: [String]
      var paths: [String]
    }
    let body = try client.send(HTTPRequest("GET", TransferURL(server.url("/")))).body
    let view = try JSONDecoder().decode(View.self, from: Data(body))
    #expect(view.problems == [] && view.faults == [])
    #expect(Set(view.paths) == ["/v1/events"])
    #expect(view.events.count == 34 && view.repeats > 0)
    let counts = try fixture.log.counts()
    #expect(counts.waiting == 0 && counts.quarantined == 1)
  }

  @Test("a server that nobody vouches for gets nothing")
  func wrongCertificate() throws {
    let fixture = try LogFixture()
    let server = try LoopbackServer("transfer_server.py", "tls", "wrong-name")
    try fixture.log.setCertificateAuthorities(server.certificateAuthorities)
    try connect(fixture, server.url("/v1/events"))
    try fixture.log.append(sampleEvents())
    let reporter = try Reporter(log: fixture.log)
    guard case .wait = try reporter.step() else {
      Issue.record("events went to a server with a wrong certificate")
      return
    }
    #expect(reporter.lastProblem?.contains("certificate") ?? false)
    #expect(try fixture.log.counts().waiting == 5)
  }

  @Test("what is sent is what the published schema says (Python's jsonschema)", .enabled(if: Python.has("jsonschema")))
  func schema() throws {
    let (body, fixture) = try sentBody()
    LogFixture.write(body, to: "\(fixture.folder.path)/batch.json")
    LogFixture.write(Array(LogSchemaDocuments.event.utf8), to: "\(fixture.folder.path)/schema.json")
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1] + "/schema.json"))
      jsonschema.Draft202012Validator.check_schema(schema)
      validator = jsonschema.Draft202012Validator(schema)
      batch = json.load(open(sys.argv[1] + "/batch.json"))
      for event in batch:
          validator.validate(event)
      for change in ({"data": dict(batch[0]["data"], path="/x")}, {"type": "reelwright.job.invented.v1"}, {"id": "x"}, {"extra": 1}):
          assert not validator.is_valid(dict(batch[0], **change)), change
      print(len(batch))
      """
    #expect(try Python.run(script, fixture.folder.path) == "5\n")
  }

  @Test(
    "PyPI's cloudevents parses what is sent",
    .enabled(if: Python.has("cloudevents.v1.http"), "the Python package cloudevents is not installed"))
  func cloudEvents() throws {
    let (body, fixture) = try sentBody()
    LogFixture.write(body, to: "\(fixture.folder.path)/batch.json")
    let script = """
      import json, sys
      from cloudevents.v1.http import from_json
      for event in json.load(open(sys.argv[1] + "/batch.json")):
          parsed = from_json(json.dumps(event))
          print(parsed["id"], parsed["type"], parsed["specversion"], parsed["traceparent"][:3] if "job" in event["data"] else "00-", parsed.data == event["data"])
      """
    let lines = try Python.run(script, fixture.folder.path).split(separator: "\n")
    #expect(lines.count == 5 && lines.allSatisfy { $0.hasSuffix("1.0 00- True") })
  }

  private func sentBody() throws -> ([UInt8], LogFixture) {
    let fixture = try LogFixture()
    try connect(fixture)
    try fixture.log.append(sampleEvents(project: "Ümlaut \"quoted\""))
    let cloud = HostileCloud()
    cloud.state.withLock { $0.keepsWire = true }
    try Reporter(log: fixture.log, transport: cloud).drain()
    let wire = cloud.state.withLock { $0.wire }
    let start = try #require(wire.firstIndex(of: UInt8(ascii: "[")))
    return (Array(wire[start...]), fixture)
  }
}
