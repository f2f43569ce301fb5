import DatabaseTestSupport
import FoundationEssentials
import MetadataLog
import Storage
import Testing

@testable import Jobs

@Suite struct JobEventsTests {
  private func log(_ fixture: StoreFixture) throws -> (MetadataLog, JobStore) {
    let log = try MetadataLog(database: fixture.database, masterKey: MasterKey.load(fixture.folder.path + "/log.key"))
    return (log, try JobStore(database: fixture.database, clock: fixture.clock.clock, recorder: JobEvents(log: log)))
  }

  @Test(arguments: StoreKind.installed) func everyChangeIsAnEvent(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let (log, store) = try log(fixture)
    var spec = JobSpec(kind: "encode")
    spec.name = "Spring ad"
    spec.inputs = ["in": "/secret/path.mp4"]
    let first = try store.submit(spec).id
    let second = try store.submit(spec).id
    let claimed = try store.claim(worker: 1, slotClass: "cpu", count: 2, kinds: ["encode"])
    let output = JobOutput(name: "out", path: "/secret/out.mp4", sha256: String(repeating: "a", count: 64), byteCount: 7, sidecar: nil)
    try store.complete(claimed[0].claim, result: []) { try JobStore.keepOutputs(claimed[0].claim, [output], in: $0) }
    try store.fail(claimed[1].claim, JobFailure(code: "damaged", message: "/secret/path.mp4 is bad", isRetriable: false, exitStatus: 65))
    let kinds = try fixture.database.read { try $0.query("SELECT kind FROM log_events ORDER BY sequence") }.map { $0.text(0) ?? "" }
    #expect(
      kinds == ["job.submitted", "job.submitted", "job.started", "job.started", "job.finished", "output.published", "job.failed"])
    #expect(try log.verify().fault == nil)
    #expect(first < second)
  }

  @Test func erasureTakesJobsAndOutputs() throws {
    let fixture = try StoreFixture(.sqlite)
    let (log, store) = try log(fixture)
    var handlers = JobHandlers()
    handlers.register("encode") { context in
      _ = try context.files.createOutput("out")
      return JobAnswer(sidecars: ["out": { _ in "{}" }])
    }
    var paths: [String] = []
    for project in ["keep", "gone"] {
      var spec = JobSpec(kind: "encode")
      spec.project = project
      spec.outputs = ["out": fixture.folder.path + "/" + project]
      paths.append(fixture.folder.path + "/" + project)
      try store.submit(spec)
    }
    try Runner(store: store, handlers: handlers).run(until: .drained)
    // A hold without a class keeps jobs and files too, also from being removed when they are finished.
    let hold = try log.placeHold(project: "gone", retention: nil, reason: "case 12")
    var report = try log.erase(project: "gone", participants: [JobErasure(store: store)])
    #expect(report.gone == ErasedThings() && report.events == 0)
    #expect(report.held == ErasedThings(jobs: 1, files: 2) && report.heldEvents > 0)
    #expect(try store.removeFinished(project: "gone") == 0)
    #expect(Publication.contents(paths[1]) != nil && Publication.contents(paths[1] + ".sidecar.json") != nil)
    try log.releaseHold(hold.id)
    // One of a class keeps events of that class only.
    _ = try log.placeHold(project: "gone", retention: .moderation, reason: "case 13")
    report = try log.erase(project: "gone", participants: [JobErasure(store: store)])
    #expect(report.gone == ErasedThings(jobs: 1, files: 2) && report.held == ErasedThings())
    #expect(Publication.contents(paths[0]) != nil && Publication.contents(paths[0] + ".sidecar.json") != nil)
    #expect(Publication.contents(paths[1]) == nil && Publication.contents(paths[1] + ".sidecar.json") == nil)
    #expect(try store.jobs().map(\.spec.project) == ["keep"])
    // What was fetched for the project goes, unless another one still wants it.
    let (own, shared) = (String(repeating: "a", count: 64), String(repeating: "b", count: 64))
    let cache = fixture.folder.path + "/inputs"
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    for (project, digests) in [("fetched", [own, shared]), ("other", [shared])] {
      var spec = JobSpec(kind: "encode")
      spec.project = project
      for digest in digests { spec.inputs[digest] = "https://example.com/clip.mp4#sha256=\(digest)" }
      try store.submit(spec)
      for digest in digests { #expect(FileManager.default.createFile(atPath: "\(cache)/sha256-\(digest)", contents: Data())) }
    }
    report = try log.erase(project: "fetched", participants: [JobErasure(store: store)])
    #expect(report.gone == ErasedThings(jobs: 1, files: 1))
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache) == ["sha256-" + shared])
    // An output that was replaced since is another's; its sidecar, which is the job's own, goes.
    let other = try #require(FileManager.default.createFile(atPath: paths[0], contents: Data("other".utf8)) ? paths[0] : nil)
    report = try log.erase(project: "keep", participants: [JobErasure(store: store)])
    #expect(report.gone == ErasedThings(jobs: 1, files: 1, leftFiles: 1))
    #expect(Publication.contents(other) == Array("other".utf8) && Publication.contents(other + ".sidecar.json") == nil)
  }
}
