import DatabaseTestSupport
import FileAccess
import FoundationEssentials
import Glibc
import MetadataLog
import Storage
import Synchronization
import Testing

@testable import Jobs

/// `log erase` against workers, other projects and holds, on both stores.
@Suite struct JobErasureTests {
  /// A store with its log.
  private final class Office: Sendable {
    let fixture: StoreFixture
    let log: MetadataLog
    let store: JobStore
    let erasure: JobErasure

    init(_ kind: StoreKind) throws {
      fixture = try StoreFixture(kind)
      log = try MetadataLog(database: fixture.database, masterKey: MasterKey.load(fixture.folder.path + "/log.key"))
      store = try JobStore(database: fixture.database, clock: fixture.clock.clock, recorder: JobEvents(log: log))
      erasure = JobErasure(store: store, folder: fixture.folder.path)
    }

    func path(_ name: String) -> String { fixture.folder.path + "/" + name }

    func spec(_ project: String, _ output: String? = nil) -> JobSpec {
      var spec = JobSpec(kind: "encode")
      spec.project = project
      if let output { spec.outputs = ["out": path(output)] }
      return spec
    }

    /// Runs what can be run. The outputs of all jobs have the same bytes, their sidecars name the project.
    func work(_ onPhase: @escaping @Sendable (RunnerPhase) -> Void = { _ in }) throws {
      var handlers = JobHandlers()
      handlers.register("encode") { context in
        guard !context.job.spec.outputs.isEmpty else { return JobAnswer() }
        let file = try context.files.createOutput("out")
        #expect(write(file.descriptor.rawValue, "picture", 7) == 7)
        let project = context.job.spec.project
        return JobAnswer(sidecars: ["out": { _ in "{\"project\":\"\(project)\"}" }])
      }
      var configuration = RunnerConfiguration()
      configuration.folder = fixture.folder.path
      configuration.onPhase = { phase, _ in onPhase(phase) }
      try Runner(store: store, handlers: handlers, configuration: configuration).run(until: .drained)
    }

    func stands(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    func sidecar(_ name: String) -> String? {
      Publication.contents(path(name + ".sidecar.json")).map { String(decoding: $0, as: UTF8.self) }
    }

    func count(_ table: String) throws -> Int64? { try store.database.read { try $0.integer("SELECT count(*) FROM \(table)") } }
  }

  /// Forwards, and does something on the way.
  private struct Watched: ErasureParticipant {
    let base: JobErasure
    var beforeFiles: @Sendable () throws -> Void = {}
    var afterFiles: @Sendable () throws -> Void = {}

    func count(of project: String) throws -> ErasedThings { try base.count(of: project) }
    func stop(_ project: String, in transaction: any Transaction) throws { try base.stop(project, in: transaction) }
    func removeFiles(of project: String, while mayGo: () throws -> Bool) throws -> ErasedThings {
      try beforeFiles()
      defer { #expect(throws: Never.self) { try afterFiles() } }
      return try base.removeFiles(of: project, while: mayGo)
    }
    func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedRows {
      try base.removeRows(of: project, in: transaction)
    }
  }

  /// The erasure comes between any two steps of a job that publishes: nothing of it stays.
  @Test(arguments: [RunnerPhase.run, .fsync, .link, .commit], StoreKind.installed)
  func whileAJobPublishes(_ phase: RunnerPhase, _ kind: StoreKind) throws {
    let office = try Office(kind)
    try office.store.submit(office.spec("gone", "a.mp4"))
    let reports = Mutex<[ErasureReport]>([])
    try office.work { now in
      guard now == phase else { return }
      do {
        let report = try office.log.erase(project: "gone", participants: [office.erasure])
        reports.withLock { $0.append(report) }
      } catch { Issue.record(error) }
    }
    #expect(reports.withLock { $0.map(\.gone.jobs) } == [1])
    #expect(!office.stands("a.mp4") && office.sidecar("a.mp4") == nil)
    #expect(try office.count("job") == 0 && office.count("job_output") == 0)
    #expect(try office.log.pendingErasures() == [] && office.log.verify().fault == nil)
  }

  @Test(arguments: StoreKind.installed) func whatAppearsBetweenFilesAndRowsGoesToo(_ kind: StoreKind) throws {
    let office = try Office(kind)
    try office.store.submit(office.spec("gone", "a.mp4"))
    try office.work()
    let watched = Watched(
      base: office.erasure,
      afterFiles: {
        try office.store.submit(office.spec("gone", "b.mp4"))
        try office.work()
        #expect(office.stands("b.mp4"))
      })
    let report = try office.log.erase(project: "gone", participants: [watched])
    #expect(report.gone == ErasedThings(jobs: 2, files: 4))
    #expect(!office.stands("b.mp4") && office.sidecar("b.mp4") == nil)
    #expect(try office.count("job_output") == 0)
  }

  @Test(arguments: StoreKind.installed) func anotherProjectKeepsItsFileAndSidecar(_ kind: StoreKind) throws {
    let office = try Office(kind)
    for project in ["gone", "held"] {
      var spec = office.spec(project, "a.mp4")
      spec.overwrite = true
      try office.store.submit(spec)
      try office.work()
    }
    _ = try office.log.placeHold(project: "held", retention: nil, reason: "case 12")
    let report = try office.log.erase(project: "gone", participants: [office.erasure])
    #expect(report.gone == ErasedThings(jobs: 1, leftFiles: 1))
    #expect(office.stands("a.mp4") && office.sidecar("a.mp4") == #"{"project":"held"}"#)
    // A sidecar that someone has changed is no longer the job's own either.
    try office.store.submit(office.spec("own", "b.mp4"))
    try office.work()
    #expect(FileManager.default.createFile(atPath: office.path("b.mp4.sidecar.json"), contents: Data("mine".utf8)))
    #expect(try office.log.erase(project: "own", participants: [office.erasure]).gone == ErasedThings(jobs: 1, files: 1))
    #expect(!office.stands("b.mp4") && office.sidecar("b.mp4") == "mine")
  }

  @Test(arguments: StoreKind.installed) func whoeverWaitsForAnErasedJobIsCancelled(_ kind: StoreKind) throws {
    let office = try Office(kind)
    let first = try office.store.submit(office.spec("gone")).id
    try office.store.pause(first)
    var spec = office.spec("other")
    spec.after = [first]
    let second = try office.store.submit(spec).id
    spec.after = [second]
    let third = try office.store.submit(spec).id
    #expect(try office.log.erase(project: "gone", participants: [office.erasure]).gone.jobs == 1)
    for id in [second, third] {
      let job = try #require(try office.store.job(id))
      #expect(job.state == .cancelled && job.failure?.code == "dependency")
      let kinds = try office.log.entries().filter { $0.event.fields[.job] == .text(id.description) }.map(\.event.kind)
      #expect(kinds == [.jobSubmitted, .jobCancelled])
    }
    #expect(try !office.store.hasWork(kinds: ["encode"], classes: ["cpu"]))
    // Tried again, it waits for nothing that will never come.
    try office.store.retry(second)
    try office.work()
    #expect(try office.store.job(second)?.state == .done)
  }

  @Test(arguments: StoreKind.installed) func whatIsNotThereIsCountedAndWhatCannotBeReadEndsIt(_ kind: StoreKind) throws {
    let office = try Office(kind)
    for name in ["a.mp4", "b.mp4"] { try office.store.submit(office.spec("gone", name)) }
    try office.work()
    unlink(office.path("a.mp4"))
    // The kernel refuses to open this one, for root as well.
    let unreadable = office.path(String(repeating: "n", count: 300))
    try office.store.database.write { transaction in
      _ = try transaction.execute(
        """
        INSERT INTO job_output(job, token, name, path, sha256, bytes, sidecar, result) \
        SELECT id, 9, 'extra', $1, 'aa', 1, NULL, $2 FROM job WHERE id = (SELECT max(id) FROM job)
        """, [.text(unreadable), .blob([])])
    }
    let error = #expect(throws: JobsError.self) { try office.log.erase(project: "gone", participants: [office.erasure]) }
    #expect(error?.exitStatus == 74)
    #expect(try office.count("job") == 2 && office.count("job_output") == 3)
    #expect(try office.log.pendingErasures() == ["gone"])
    try office.store.database.write { _ = try $0.execute("DELETE FROM job_output WHERE name = 'extra'") }
    let report = try office.log.erase(project: "gone", participants: [office.erasure])
    // How far the first one came depends on the order of the rows.
    #expect(report.gone.jobs == 2 && report.gone.missingFiles >= 1)
    #expect(!office.stands("b.mp4") && office.sidecar("a.mp4") == nil && office.sidecar("b.mp4") == nil)
  }

  /// One that an import brought, for one.
  @Test(arguments: StoreKind.installed) func aHoldThatAppearsKeepsTheRest(_ kind: StoreKind) throws {
    let office = try Office(kind)
    try office.store.submit(office.spec("gone", "a.mp4"))
    try office.work()
    let watched = Watched(
      base: office.erasure,
      beforeFiles: {
        let error = #expect(throws: MetadataLogError.self) {
          try office.log.placeHold(project: "gone", retention: nil, reason: "case 12")
        }
        #expect(error?.exitStatus == 75)
        try office.store.database.write {
          _ = try $0.execute("INSERT INTO log_holds(id, project, retention, placed_us, reason) VALUES (1, 'gone', NULL, 1, 'case 12')")
        }
      })
    let report = try office.log.erase(project: "gone", participants: [watched])
    #expect(report.gone == ErasedThings() && report.held == ErasedThings(jobs: 1, files: 2) && report.events == 0)
    #expect(office.stands("a.mp4") && office.sidecar("a.mp4") != nil)
  }
}
