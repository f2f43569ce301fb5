import Crypto
import DatabaseTestSupport
import Glibc
import LoopbackServer
import MetadataLog
import Storage
import Synchronization
import Testing
import Transfer

struct CanaryTests {
  /// 200 things that must not be logged or sent, each with its number in it.
  static let canaries: [String] = (0..<40).flatMap { number in
    [
      "/media/anna/Holiday-Kestrel\(number)/clip.mp4", "a red Plover\(number) in the rain, cinematic", "Caption about Wigeon\(number)!",
      "[mov,mp4 @ 0x55] moov atom not found in Bittern\(number).mov", "host-Dunlin\(number).studio.example",
    ]
  }

  private func search(_ files: [[UInt8]], in folder: TemporaryFolder) throws -> String {
    LogFixture.write(Array(Self.canaries.joined(separator: "\n").utf8), to: "\(folder.path)/canaries")
    for (index, bytes) in files.enumerated() { LogFixture.write(bytes, to: "\(folder.path)/searched-\(index)") }
    let script =
      "import runpy, sys; folder, count = sys.argv.pop(), int(sys.argv.pop()); "
      + "sys.argv = ['search', folder + '/canaries'] + [f'{folder}/searched-{i}' for i in range(count)]; "
      + "runpy.run_path('\(LoopbackServer.fixtures)/canary_search.py', run_name='__main__')"
    return try Python.run(script, String(files.count), folder.path)
  }

  @Test("the search itself finds a canary in every encoding")
  func searchWorks() throws {
    let canary = Array(Self.canaries[0].utf8)
    let folder = TemporaryFolder()
    let utf16: [UInt8] = canary.flatMap { [$0, UInt8(0)] }
    let gzip = "import gzip, sys; open(sys.argv[1], 'wb').write(b'xx' + gzip.compress(b'abc' + sys.argv[2].encode()))"
    _ = try Python.run(gzip, "\(folder.path)/gzip", Self.canaries[0])
    let files: [[UInt8]] = [
      Array("..\(Self.canaries[0])..".utf8), Array(Hex.encode(canary).utf8), utf16,
      Array(Base64.encode(Array("y".utf8) + canary + [1, 2]).utf8),
      LogFixture.read("\(folder.path)/gzip"),
    ]
    let found = try search(files, in: folder)
    for index in files.indices { #expect(found.contains("searched-\(index) ")) }
  }

  @Test("200 canaries through every door of the log: none on the wire, in the spool, in the files, in an export, in an error")
  func canaries() throws {
    let fixture = try LogFixture()
    let cloud = HostileCloud()
    cloud.state.withLock { $0.keepsWire = true }
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try fixture.log.register(TransferURL("https://otel.example"), for: .telemetry)
    try fixture.log.setConsent(true)
    struct Hook: ModerationHook {
      let canary: String
      struct Failure: Error { let text: String }
      func verdict(on request: ModerationRequest) throws -> ModerationVerdict {
        if canary.utf8.count % 2 == 0 { throw Failure(text: canary) }
        return ModerationVerdict(.allow, category: canary)
      }
    }
    var errors = ""
    func attempt(_ body: () throws -> Void) {
      do { try body() } catch { errors += "\(error)\n" }
    }
    let registry = CreatorRegistry(fixture.log)
    for (number, canary) in Self.canaries.enumerated() {
      for field in EventField.allCases where field != .label {
        // Every kind that has the field, with good values beside the bad one.
        guard let kind = EventKind.allCases.first(where: { $0.fields.required.union($0.fields.optional).contains(field) }) else { continue }
        var event = LogEvent(kind, Self.goodFields(kind, number))
        event.fields[field] = .text(canary)
        attempt { try fixture.log.append(event) }
      }
      attempt {
        let request = ModerationRequest(frames: [ModerationFrame(seconds: 1, jpeg: Array(canary.utf8))])
        try fixture.log.moderate(request, job: "j\(number)", hook: Hook(canary: canary))
      }
      attempt { try registry.enrol(canary) }
      attempt { try fixture.log.append(LogEvent(.jobFinished, Self.goodFields(.jobFinished, number))) }
      let media = "\(fixture.folder.path)/media-\(number)"
      attempt { try fixture.log.register(TransferURL("https://cloud.example/v1/events?prompt=\(canary)"), for: .reporting) }
      attempt { try fixture.log.export(to: media + "/" + canary.filter { $0 != "/" }) }
    }
    try Reporter(log: fixture.log, transport: cloud).drain()
    #expect(try TelemetryExporter(log: fixture.log, transport: cloud).drain().events > 100)
    try fixture.database.truncateLog()
    let export = "\(fixture.folder.path)/export"
    try fixture.log.export(to: export)
    let wire = cloud.state.withLock { $0.wire }
    #expect(wire.contains(Array("reelwright.job.finished.v1".utf8)))
    #expect(wire.contains(Array("https://otel.example/v1/logs".utf8)) && wire.contains(Array("resourceLogs".utf8)))
    var plain = ""
    for entry in try fixture.log.entries() { plain += "\(entry.event)\n" }
    #expect(plain.contains("moderation.verdict") || plain.contains("moderationVerdict"))
    // Errors of the export name the folder that the user typed, and nothing else may name a canary.
    let others = errors.split(separator: "\n").filter { !$0.contains("cannot export") && !$0.contains("cannot write") }.joined(
      separator: "\n")
    let found = try search(
      [wire, Array(plain.utf8), LogFixture.read("\(export)/events.jsonl"), LogFixture.read("\(export)/export.json"), Array(others.utf8)]
        + fixture.files(), in: TemporaryFolder())
    #expect(found == "")
  }

  private static func goodFields(_ kind: EventKind, _ number: Int) -> [EventField: EventValue] {
    var fields: [EventField: EventValue] = [:]
    for field in kind.fields.required {
      switch field.type {
      case .integer: fields[field] = .integer(Int64(number))
      case .identifier, .label: fields[field] = .text("id\(number)")
      case .digest: fields[field] = .text(SHA256.digest(of: "\(number)").hex)
      case .choice(let words): fields[field] = .text(words[0])
      }
    }
    return fields
  }
}
