import Crypto
import DatabaseTestSupport
import Glibc
import LoopbackServer
import MetadataLog
import Storage
import Testing

struct ExportTests {
  private func filled() throws -> LogFixture {
    let fixture = try LogFixture()
    try fixture.log.append(sampleEvents(project: "Ümlaut \"quoted\""))
    try fixture.log.append(sampleEvents(project: "gone"))
    try fixture.log.append(sampleEvents(project: "kept"))
    try fixture.log.erase(project: "gone")
    fixture.clock.advance(seconds: 90_000)
    try fixture.log.purge()
    try fixture.log.append(sampleEvents())
    return fixture
  }

  @Test("export → import → export is identical, and the imported log verifies and goes on")
  func identical() throws {
    let fixture = try filled()
    let media = "\(fixture.folder.path)/Clip.MP4"
    LogFixture.write(Array("not really a film".utf8), to: media)
    let first = "\(fixture.folder.path)/first"
    try fixture.log.export(to: first, media: [ExportedFile(name: "out1", path: media)])
    let other = try LogFixture()
    let (imported, entries, _) = try other.log.importing(from: first)
    #expect(entries > 10)
    #expect(imported.installation == fixture.log.installation)
    #expect(try imported.entries() == fixture.log.entries())
    #expect(try imported.verify().fault == nil)
    let second = "\(other.folder.path)/second"
    try imported.export(to: second, media: [ExportedFile(name: "out1", path: media)])
    for name in ["export.json", "events.jsonl", "media/1.mp4"] {
      let bytes = LogFixture.read("\(first)/\(name)")
      #expect(!bytes.isEmpty && bytes == LogFixture.read("\(second)/\(name)"))
    }
    #expect(try imported.append(sampleEvents()).count == 7)
    #expect(try imported.verify().fault == nil)
    var status = stat()
    #expect(stat(first, &status) == 0 && status.st_mode & 0o777 == 0o700)
    #expect(stat("\(first)/events.jsonl", &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(throws: MetadataLogError.self) { try fixture.log.export(to: first) }
    let full = #expect(throws: MetadataLogError.self) { try fixture.log.importing(from: first) }
    #expect(full?.code == .exists)
  }

  @Test("an export of one project holds nothing of the others but hashes, and its chain is checked on import")
  func oneProject() throws {
    let fixture = try filled()
    let folder = "\(fixture.folder.path)/kept"
    let summary = try fixture.log.export(to: folder, project: "kept")
    let text = String(decoding: LogFixture.read("\(folder)/events.jsonl"), as: UTF8.self)
    #expect(text.contains("\"kept\"") && !text.contains("mlaut") && !text.contains("\"default\""))
    let other = try LogFixture()
    let (imported, _, taken) = try other.log.importing(from: folder)
    #expect(taken == summary && summary.project == "kept" && summary.events > 0 && summary.hashes > summary.events)
    var filter = LogFilter()
    filter.project = "kept"
    #expect(try imported.entries() == fixture.log.entries(filter))
    #expect(try imported.verify().fault == nil)
    // The chain goes on where that of the whole log does.
    #expect(try imported.append(sampleEvents()).first == fixture.log.append(sampleEvents()).first)
    let missing = #expect(throws: MetadataLogError.self) { try fixture.log.export(to: folder + "2", project: "nobody") }
    #expect(missing?.code == .missing && LogFixture.read(folder + "2/export.json").isEmpty)
  }

  @Test("a changed export is refused and nothing of it is kept")
  func changed() throws {
    let fixture = try filled()
    let folder = "\(fixture.folder.path)/export"
    try fixture.log.export(to: folder)
    let original = String(decoding: LogFixture.read("\(folder)/events.jsonl"), as: UTF8.self)
    let manifest = String(decoding: LogFixture.read("\(folder)/export.json"), as: UTF8.self)
    let lines = original.split(separator: "\n")
    let changes: [String] = [
      original.split(separator: "\n").dropFirst().joined(separator: "\n"), lines.dropLast().joined(separator: "\n"),
      original.replacing("\"allow\"", with: "\"refuse\""), original.replacing("job.submitted", with: "job.paused"), "", "nonsense",
      lines.reversed().joined(separator: "\n"),
    ]
    for change in changes {
      #expect(change != original)
      LogFixture.write(Array(change.utf8), to: "\(folder)/events.jsonl")
      let other = try LogFixture()
      #expect(throws: MetadataLogError.self) { try other.log.importing(from: folder) }
      // Also when the manifest was made to fit.
      let fitted = manifest.replacing(SHA256.digest(of: original).hex, with: SHA256.digest(of: change).hex)
      LogFixture.write(Array(fitted.utf8), to: "\(folder)/export.json")
      #expect(throws: MetadataLogError.self) { try other.log.importing(from: folder) }
      LogFixture.write(Array(manifest.utf8), to: "\(folder)/export.json")
      #expect(try other.log.counts().live == 0)
      #expect(try other.log.append(sampleEvents()[0]) == 1)
    }
  }

  @Test("the published schemas accept what is written and nothing else (Python's jsonschema)", .enabled(if: Python.has("jsonschema")))
  func schemas() throws {
    let fixture = try filled()
    let folder = "\(fixture.folder.path)/export"
    try fixture.log.export(to: folder)
    LogFixture.write(Array(LogSchemaDocuments.exportLine.utf8), to: "\(folder)/schema.json")
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1] + "/schema.json"))
      jsonschema.Draft202012Validator.check_schema(schema)
      validator = jsonschema.Draft202012Validator(schema)
      lines = [json.loads(line) for line in open(sys.argv[1] + "/events.jsonl")]
      for line in lines:
          validator.validate(line)
      bad = dict(lines[0]); bad["fields"] = dict(bad["fields"], path="/x")
      assert not validator.is_valid(bad)
      bad = dict(lines[0], kind="job.invented")
      assert not validator.is_valid(bad)
      print(len(lines))
      """
    #expect(try Python.run(script, folder).split(separator: "\n").first.flatMap { Int($0) } ?? 0 > 10)
  }
}
