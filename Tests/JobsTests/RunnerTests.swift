import DatabaseTestSupport
import FileAccess
import FoundationEssentials
import Glibc
import MediaCore
import Storage
import Synchronization
import Testing

@testable import Jobs

@Suite struct RunnerTests {
  /// Writes the payload to the output `out`, with a sidecar.
  private static func writer() -> JobHandlers {
    var handlers = JobHandlers()
    handlers.register("write") { context in
      let file = try context.files.createOutput("out")
      let bytes = context.job.spec.payload
      #expect(write(file.descriptor.rawValue, bytes, bytes.count) == bytes.count)
      let id = context.job.id
      return JobAnswer(result: Array("ok".utf8), sidecars: ["out": { #"{"job":\#(id),"sha256":"\#($0)"}"# }])
    }
    return handlers
  }

  private func spec(_ fixture: StoreFixture, _ name: String, _ text: String = "content") -> JobSpec {
    var spec = JobSpec(kind: "write", payload: Array(text.utf8))
    spec.outputs = ["out": fixture.folder.path + "/" + name]
    return spec
  }

  private func put(_ text: String, _ path: String) {
    guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
      Issue.record("cannot write \(path)")
      return
    }
  }

  private func text(_ path: String) -> String? { Publication.contents(path).map { String(decoding: $0, as: UTF8.self) } }

  @Test(arguments: StoreKind.installed) func outputsAppearWithTheirSidecars(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    try fixture.runner(RunnerTests.writer()).run(until: .drained)
    let path = fixture.folder.path + "/a.txt"
    #expect(try fixture.store.job(id)?.state == .done)
    #expect(text(path) == "content")
    // sha256sum of "content".
    let digest = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    #expect(text(path + ".sidecar.json") == #"{"job":\#(id),"sha256":"\#(digest)"}"#)
    #expect(try fixture.store.outputs(of: id).map(\.sha256) == [digest])
    #expect(try fixture.store.workers().isEmpty)
    let left = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    #expect(!left.contains { $0.contains(".partial") || $0.contains("-lock-") }, "\(left)")
  }

  /// With and without a file to replace; its temporary names and its sidecar's are shortened.
  @Test func everyNameThatTheFileSystemTakesWorks() throws {
    let fixture = try StoreFixture(.sqlite)
    let name = String(repeating: "n", count: 255)
    for text in ["one", "two"] {
      var spec = spec(fixture, name, text)
      spec.overwrite = true
      let id = try fixture.store.submit(spec).id
      try fixture.runner(RunnerTests.writer()).run(until: .drained)
      #expect(try fixture.store.job(id)?.state == .done)
      let path = fixture.folder.path + "/" + name
      #expect(self.text(path) == text)
      #expect(self.text(Publication.sidecarPath(path))?.hasPrefix(#"{"job":\#(id),"#) == true)
    }
    let tooLong = try fixture.store.submit(spec(fixture, name + "n")).id
    try fixture.runner(RunnerTests.writer()).run(until: .drained)
    let failure = try #require(try fixture.store.job(tooLong)?.failure)
    #expect("\(failure)".contains("255 bytes"), "\(failure)")
  }

  /// A drain waits for nothing that its runner cannot do, and says what that is.
  @Test(arguments: StoreKind.installed) func drainLeavesWhatItCannotRun(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let foreign = try fixture.store.submit(JobSpec(kind: "nosuch")).id
    var waiting = spec(fixture, "waiting.txt")
    waiting.after = [foreign]
    try fixture.store.submit(waiting)
    var unslotted = spec(fixture, "unslotted.txt")
    unslotted.slotClass = "gpu"
    try fixture.store.submit(unslotted)
    let paused = try fixture.store.submit(spec(fixture, "paused.txt")).id
    try fixture.store.pause(paused)
    let first = try fixture.store.submit(spec(fixture, "first.txt")).id
    var second = spec(fixture, "second.txt")
    second.after = [first]
    let last = try fixture.store.submit(second).id
    let stranded = Mutex<[StrandedJobs]>([])
    try fixture.runner(RunnerTests.writer()) { configuration in
      configuration.onEvent = { event in
        if case .stranded(let jobs) = event { stranded.withLock { $0 += jobs } }
      }
    }.run(until: .drained)
    #expect(try fixture.store.job(first)?.state == .done && fixture.store.job(last)?.state == .done)
    #expect(
      stranded.withLock { $0 } == [
        StrandedJobs(kind: "nosuch", slotClass: "cpu", reason: .unsuited, count: 1),
        StrandedJobs(kind: "write", slotClass: "cpu", reason: .waiting, count: 1),
        StrandedJobs(kind: "write", slotClass: "gpu", reason: .unsuited, count: 1),
      ])
  }

  @Test func existingFileIsRefusedUnlessOverwrite() throws {
    let fixture = try StoreFixture(.sqlite)
    let path = fixture.folder.path + "/a.txt"
    put("foreign", path)
    let refused = try fixture.store.submit(spec(fixture, "a.txt")).id
    try fixture.runner(RunnerTests.writer()).run(until: .drained)
    #expect(try fixture.store.job(refused)?.failure?.code == "outputExists")
    #expect(text(path) == "foreign" && text(path + ".sidecar.json") == nil)
    var overwriting = spec(fixture, "a.txt")
    overwriting.overwrite = true
    try fixture.store.submit(overwriting)
    try fixture.runner(RunnerTests.writer()).run(until: .drained)
    #expect(text(path) == "content" && text(path + ".sidecar.json") != nil)
  }

  /// A file that appears while the handler runs is never replaced.
  @Test func firstWriterWins() throws {
    let fixture = try StoreFixture(.sqlite)
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    let path = fixture.folder.path + "/a.txt"
    let runner = try fixture.runner(RunnerTests.writer()) { configuration in
      configuration.onPhase = { phase, _ in
        if phase == .link { put("foreign", path) }
      }
    }
    try runner.run(until: .drained)
    #expect(try fixture.store.job(id)?.failure?.code == "outputExists")
    #expect(text(path) == "foreign" && text(path + ".sidecar.json") == nil)
  }

  /// A worker that is taken over between its steps, and goes on as if nothing had happened, changes nothing; the other
  /// one completes, whichever file came first.
  @Test(arguments: [RunnerPhase.run, .fsync, .link, .commit], StoreKind.installed)
  func takenOverAttemptLeavesOneOutput(_ phase: RunnerPhase, _ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    let path = fixture.folder.path + "/a.txt"
    let second = try fixture.runner(RunnerTests.writer())
    let taken = Atomic<Bool>(false)
    let workers = Mutex<Int64>(0)
    let first = try fixture.runner(RunnerTests.writer()) { configuration in
      configuration.onPhase = { now, _ in
        guard now == phase, !taken.exchange(true, ordering: .relaxed) else { return }
        do {
          _ = try fixture.store.recover(worker: workers.withLock { $0 }, from: .silent)
          try second.run(until: .one)
        } catch {
          Issue.record(error)
        }
      }
    }
    workers.withLock { $0 = first.worker }
    try first.run(until: .one)
    let wasTaken = taken.load(ordering: .relaxed)
    #expect(wasTaken)
    let job = try #require(try fixture.store.job(id))
    #expect(job.state == .done && job.crashCount == 1)
    #expect(text(path) == "content")
    #expect(text(path + ".sidecar.json")?.contains(#""job":\#(id)"#) == true)
    #expect(fixture.recorder.of(id).count { $0 == .done } == 1)
  }

  @Test func cancelReachesTheHandlerAndLeavesNothing() throws {
    let fixture = try StoreFixture(.sqlite)
    var handlers = JobHandlers()
    let scratch = Mutex<String>("")
    handlers.register("write") { context in
      _ = try context.files.createOutput("out")
      let folder = try context.scratchFolder()
      scratch.withLock { $0 = folder }
      put("", folder + "/x")
      try fixture.store.cancel(context.job.id)
      while !context.cancellation.isCancelled { usleep(1000) }
      throw MediaError(.cancelled, "cannot go on", reason: "cancelled")
    }
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    try fixture.runner(handlers).run(until: .drained)
    #expect(try fixture.store.job(id)?.state == .cancelled)
    #expect(access(fixture.folder.path + "/a.txt", F_OK) != 0)
    #expect(access(scratch.withLock { $0 }, F_OK) != 0)
  }

  /// Stopping gives the job back with its checkpoint and without costing an attempt; the next one goes on from there.
  @Test func stopReleasesWithCheckpoint() throws {
    let fixture = try StoreFixture(.sqlite)
    let runners = Mutex<[Runner]>([])
    var handlers = JobHandlers()
    handlers.register("write") { context in
      if let checkpoint = context.checkpoint {
        #expect(FileManager.default.fileExists(atPath: try context.scratchFolder() + "/part"))
        return JobAnswer(result: checkpoint)
      }
      put("", try context.scratchFolder() + "/part")
      try context.saveCheckpoint([1, 2, 3])
      runners.withLock { $0.first?.stop() }
      while !context.cancellation.isCancelled { usleep(1000) }
      #expect(context.stopReason == .shutdown)
      throw MediaError(.cancelled, "cannot go on", reason: "cancelled")
    }
    let id = try fixture.store.submit(JobSpec(kind: "write")).id
    let first = try fixture.runner(handlers)
    runners.withLock { $0 = [first] }
    try first.run()
    let between = try #require(try fixture.store.job(id))
    #expect(between.state == .available && between.attempt == 0)
    try fixture.runner(handlers).run(until: .drained)
    let job = try #require(try fixture.store.job(id))
    #expect(job.state == .done && job.result == [1, 2, 3] && job.attempt == 1)
    #expect(access(fixture.folder.path + "/scratch/\(id)", F_OK) != 0)
  }

  @Test func timeoutKillsWhatDoesNotStop() throws {
    let fixture = try StoreFixture(.sqlite)
    var handlers = JobHandlers()
    handlers.register("slow") { context in
      let isKilled = Mutex(false)
      context.onKill { isKilled.withLock { $0 = true } }
      while !isKilled.withLock({ $0 }) { usleep(1000) }
      throw JobsError(.crashed, "worker", reason: "killed")
    }
    var spec = JobSpec(kind: "slow")
    spec.timeoutSeconds = 0.05
    spec.retry.attempts = 1
    let id = try fixture.store.submit(spec).id
    try fixture.runner(handlers) { $0.graceSeconds = 0.05 }.run(until: .drained)
    let job = try #require(try fixture.store.job(id))
    #expect(job.state == .failed && job.failure?.code == "timeout" && job.crashCount == 0)
  }

  @Test func crashingHandlerIsQuarantined() throws {
    let fixture = try StoreFixture(.sqlite)
    var handlers = JobHandlers()
    let runs = Atomic<Int>(0)
    handlers.register("poison") { _ in
      runs.add(1, ordering: .relaxed)
      throw JobsError(.crashed, "worker", reason: "signal 11")
    }
    let id = try fixture.store.submit(JobSpec(kind: "poison")).id
    try fixture.runner(handlers).run(until: .drained)
    let job = try #require(try fixture.store.job(id))
    let count = runs.load(ordering: .relaxed)
    #expect(job.state == .failed && job.failure?.code == "quarantined" && count == 3)
  }

  @Test func slotsBoundWhatRunsAtOnce() throws {
    let fixture = try StoreFixture(.sqlite)
    var handlers = JobHandlers()
    let now = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    handlers.register("a") { _ in
      let count = now.add(1, ordering: .relaxed).newValue
      _ = most.max(count, ordering: .relaxed)
      usleep(2000)
      now.subtract(1, ordering: .relaxed)
      return JobAnswer()
    }
    try fixture.store.submit([JobSpec](repeating: JobSpec(kind: "a"), count: 30))
    try fixture.runner(handlers) { $0.slots = ["cpu": 3] }.run(until: .drained)
    #expect(try fixture.store.counts() == [.done: 30])
    let highest = most.load(ordering: .relaxed)
    #expect((1...3).contains(highest))
  }

  @Test func missingOutputIsAnError() throws {
    let fixture = try StoreFixture(.sqlite)
    var handlers = JobHandlers()
    handlers.register("write") { _ in JobAnswer() }
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    try fixture.runner(handlers).run(until: .drained)
    #expect(try fixture.store.job(id)?.failure?.code == "failed")
  }

  @Test func asyncRunEnds() async throws {
    let fixture = try StoreFixture(.sqlite)
    let id = try fixture.store.submit(spec(fixture, "a.txt")).id
    try await fixture.runner(RunnerTests.writer()).run(until: .one)
    #expect(try fixture.store.job(id)?.state == .done)
  }

  /// The server goes away while a job runs; the job is completed once, when it is back.
  @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL 15 is not installed")) func serverRestartLosesNothing() throws {
    let server = try PostgreSQLServer()
    let folder = TemporaryFolder()
    let recorder = Transitions()
    let store = try JobStore(database: try PostgreSQLDatabase(server.configuration()), recorder: recorder)
    var spec = JobSpec(kind: "write", payload: Array("content".utf8))
    spec.outputs = ["out": folder.path + "/a.txt"]
    let id = try store.submit(spec).id
    var configuration = RunnerConfiguration()
    configuration.folder = folder.path
    configuration.onPhase = { phase, _ in if phase == .link { server.restart() } }
    try Runner(store: store, handlers: RunnerTests.writer(), configuration: configuration).run(until: .drained)
    #expect(try store.job(id)?.state == .done)
    #expect(text(folder.path + "/a.txt") == "content")
    #expect(recorder.of(id).count { $0 == .done } == 1)
  }
}
