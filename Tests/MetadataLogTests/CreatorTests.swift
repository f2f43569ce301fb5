import Crypto
import DatabaseTestSupport
import MetadataLog
import Storage
import Testing

struct CreatorTests {
  @Test("not enrolled: no mark; withdrawn: no new mark, no report, nobody behind the old ones")
  func consent() throws {
    let fixture = try LogFixture()
    let registry = CreatorRegistry(fixture.log)
    let refused = #expect(throws: MetadataLogError.self) { try registry.makeMark(for: "c1") }
    #expect(refused?.code == .refused && refused?.exitStatus == 77)
    try registry.enrol("c1")
    #expect(throws: MetadataLogError.self) { try registry.enrol("c1") }
    #expect(throws: MetadataLogError.self) { try registry.enrol("Anna Example") }
    let mark = try registry.makeMark(for: "c1", project: "spring", job: "j1")
    try registry.bind(mark, output: SHA256.digest(of: "output"))
    let found = try #require(try registry.who(mark))
    #expect(found.creator == "c1" && found.project == "spring" && found.output == SHA256.digest(of: "output").hex)
    #expect(try registry.recordDetection(mark, confidence: 15_200, log10FalsePositive: -17_300))
    #expect(try registry.marks().map(\.watermark) == [CreatorRegistry.text(mark)])
    #expect(try !registry.recordDetection(mark &+ 1, confidence: 15_200, log10FalsePositive: -17_300))
    try registry.withdraw("c1")
    #expect(throws: MetadataLogError.self) { try registry.withdraw("c1") }
    #expect(try registry.who(mark) == nil)
    #expect(try registry.marks().isEmpty)
    #expect(try !registry.recordDetection(mark, confidence: 15_200, log10FalsePositive: -17_300))
    #expect(throws: MetadataLogError.self) { try registry.makeMark(for: "c1") }
    let detections = try fixture.log.entries().filter { $0.event.kind == .watermarkDetected }
    // The id and its certainty only.
    #expect(detections.map { Set($0.event.fields.keys) } == [[.watermark, .confidence, .log10FalsePositive]])
    try registry.enrol("c1")
    #expect(try registry.creators().map(\.marks) == [1])
    #expect(try registry.who(mark) != nil)
    #expect(throws: MetadataLogError.self) { try registry.bind(mark &+ 1, output: SHA256.digest(of: "x")) }
  }

  @Test("ids are random, different, and written with 16 digits")
  func ids() throws {
    let fixture = try LogFixture()
    let registry = CreatorRegistry(fixture.log)
    try registry.enrol("c1")
    let marks = try (0..<50).map { _ in try registry.makeMark(for: "c1") }
    #expect(Set(marks).count == 50)
    #expect(marks.reduce(0, |) > UInt64(1) << 60)
    #expect(CreatorRegistry.text(1000) == "00000000000003e8")
    #expect(CreatorRegistry.text(.max) == "ffffffffffffffff")
  }

  @Test("an erased project's marks are gone")
  func erase() throws {
    let fixture = try LogFixture()
    let registry = CreatorRegistry(fixture.log)
    try registry.enrol("c1")
    let gone = try registry.makeMark(for: "c1", project: "gone")
    let kept = try registry.makeMark(for: "c1", project: "kept")
    try fixture.log.erase(project: "gone")
    #expect(try registry.who(gone) == nil)
    #expect(try registry.who(kept) != nil)
    #expect(!fixture.filesContain(Array(CreatorRegistry.text(gone).utf8)))
  }

  @Test("metering: sums by day and project, and the anonymous aggregate")
  func metering() throws {
    let fixture = try LogFixture()
    var usage = Usage()
    (usage.jobs, usage.mediaMilliseconds, usage.frames, usage.bytes) = (1, 10_000, 300, 5000)
    for project in ["a", "a", "b"] {
      _ = try fixture.database.write { try fixture.log.meter(usage, job: "j", project: project, in: $0) }
    }
    #expect(try fixture.log.usage().frames == 900)
    #expect(try fixture.log.usage(project: "a").mediaMilliseconds == 20_000)
    fixture.clock.advance(seconds: 86_400)
    #expect(try fixture.log.usage(sinceMicroseconds: fixture.clock.microseconds()) == Usage())
    try fixture.log.summarizeDay()
    let daily = try fixture.log.entries().filter { $0.event.kind == .analyticsDaily }
    #expect(daily.map(\.event) == [LogEvent(.analyticsDaily, [.jobs: 3, .mediaMilliseconds: 30_000, .frames: 900, .bytes: 15_000])])
  }
}
