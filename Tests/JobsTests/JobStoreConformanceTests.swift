import DatabaseTestSupport
import Glibc
import Storage
import TestBasics
import Testing

@testable import Jobs

/// What both stores promise, one job at a time.
@Suite struct JobStoreConformanceTests {
  private func claim(_ fixture: StoreFixture, worker: Int64 = 1, count: Int = 1, slotClass: String = "cpu") throws -> [ClaimedJob] {
    try fixture.store.claim(worker: worker, slotClass: slotClass, count: count, kinds: ["a"])
  }

  @Test(arguments: StoreKind.installed) func specComesBackAsItWasSubmitted(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    var spec = JobSpec(kind: "render", payload: Array(#"{"x":[1,2.5,"ż"]}"#.utf8))
    spec.name = "Spring — ad ‘3’"
    spec.project = "p.1"
    spec.inputs = ["in": "/a b/c\"d.mp4"]
    spec.outputs = ["out": "/o/ü.mp4", "two": "/o/2.mp4"]
    spec.overwrite = true
    spec.slotClass = "encode"
    spec.priority = -7
    spec.uniqueKey = "k'1"
    spec.notBefore = fixture.clock.now + 5_000_000
    spec.timeoutSeconds = 12.5
    spec.retry = RetryPolicy(attempts: 9, baseSeconds: 0.25, capSeconds: 60)
    spec.crashLimit = 5
    spec.labels = ["team": "blue", "n": "1"]
    let id = try fixture.store.submit(spec).id
    let job = try #require(try fixture.store.job(id))
    #expect(job.spec == spec)
    #expect(job.state == .scheduled)
    #expect(job.createdAt == fixture.clock.now)
    #expect(fixture.recorder.of(id) == [.scheduled])
  }

  @Test(arguments: StoreKind.installed) func claimsFollowPriorityThenAge(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    var ids: [JobID] = []
    for priority in [0, 5, 0, 5, -1] {
      var spec = JobSpec(kind: "a")
      spec.priority = priority
      ids.append(try fixture.store.submit(spec).id)
    }
    try fixture.store.submit(JobSpec(kind: "unknown"))
    #expect(try claim(fixture, count: 2).map(\.job.id) == [ids[1], ids[3]])
    #expect(try claim(fixture, count: 10).map(\.job.id) == [ids[0], ids[2], ids[4]])
    #expect(try claim(fixture, count: 10).isEmpty)
    #expect(try claim(fixture, count: 10, slotClass: "encode").isEmpty)
  }

  @Test(arguments: StoreKind.installed) func uniqueKeyHoldsUntilTheEnd(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    var spec = JobSpec(kind: "a")
    spec.uniqueKey = "one"
    let first = try fixture.store.submit(spec)
    let second = try fixture.store.submit(spec)
    #expect(first.isNew && !second.isNew && first.id == second.id)
    let claimed = try claim(fixture)[0]
    #expect(try !fixture.store.submit(spec).isNew)
    try fixture.store.complete(claimed.claim, result: [1])
    #expect(try fixture.store.submit(spec).isNew)
  }

  @Test(arguments: StoreKind.installed) func staleClaimChangesNothing(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(JobSpec(kind: "a")).id
    let old = try claim(fixture, worker: 1)[0]
    #expect(try fixture.store.recover(worker: 1, from: .silent)?.map(\.job) == [id])
    let new = try claim(fixture, worker: 2)[0]
    #expect(new.claim.token > old.claim.token)
    let failure = JobFailure(code: "x", message: "", isRetriable: true, exitStatus: 70)
    let writes: [(String, () throws -> Void)] = [
      ("complete", { try fixture.store.complete(old.claim, result: []) }),
      ("fail", { try fixture.store.fail(old.claim, failure) }),
      ("crash", { try fixture.store.crash(old.claim, message: "") }),
      ("release", { try fixture.store.release(old.claim, to: .paused) }),
      ("progress", { try fixture.store.saveProgress(old.claim, done: 0.5, etaSeconds: nil, stage: nil) }),
      ("checkpoint", { try fixture.store.saveCheckpoint(old.claim, [1]) }),
      ("outputs", { try fixture.store.recordOutputs(old.claim, [], result: []) }),
    ]
    let before = try fixture.store.job(id)
    for (name, write) in writes {
      let error = #expect(throws: JobsError.self, "\(name)") { try write() }
      #expect(error?.code == .fenced, "\(name)")
    }
    #expect(try fixture.store.job(id) == before)
    try fixture.store.complete(new.claim, result: [7])
    // Its answer lost, a completion is repeated without harm.
    try fixture.store.complete(new.claim, result: [7])
    #expect(try fixture.store.job(id)?.result == [7])
    #expect(fixture.recorder.of(id) == [.available, .running, .available, .running, .done])
  }

  @Test(arguments: StoreKind.installed) func recorderSharesTheTransaction(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(JobSpec(kind: "a")).id
    let claimed = try claim(fixture)[0]
    fixture.recorder.refuse(.done)
    #expect(throws: Transitions.Refusal.self) { try fixture.store.complete(claimed.claim, result: []) }
    #expect(try fixture.store.job(id)?.state == .running)
    fixture.recorder.refuse(nil)
    try fixture.store.complete(claimed.claim, result: [])
    #expect(try fixture.store.job(id)?.state == .done)
  }

  @Test(arguments: StoreKind.installed) func failuresAreRetriedWithBackoffThenGivenUp(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    var spec = JobSpec(kind: "a")
    spec.retry = RetryPolicy(attempts: 3, baseSeconds: 10, capSeconds: 15)
    let id = try fixture.store.submit(spec).id
    let failure = JobFailure(code: "io", message: "disk", isRetriable: true, exitStatus: 74)
    for (attempt, bound) in [(1, 10.0), (2, 15.0)] {
      #expect(try fixture.store.fail(claim(fixture)[0].claim, failure) == .retryable)
      let job = try #require(try fixture.store.job(id))
      #expect(job.attempt == attempt)
      #expect((0...Int64(bound * 1e6)).contains(job.dueAt - fixture.clock.now))
      fixture.clock.advance(seconds: bound)
      _ = try fixture.store.promote()
    }
    #expect(try fixture.store.fail(claim(fixture)[0].claim, failure) == .failed)
    #expect(try fixture.store.job(id)?.failure == failure)
    #expect(try fixture.store.retry(id) == .available)
    #expect(try fixture.store.job(id)?.attempt == 0)
    let final = JobFailure(code: "damaged", message: "no", isRetriable: false, exitStatus: 65)
    #expect(try fixture.store.fail(claim(fixture)[0].claim, final) == .failed)
  }

  @Test(arguments: StoreKind.installed) func jobThatKillsItsWorkerIsQuarantined(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(JobSpec(kind: "a")).id
    for round in 1...3 {
      let claimed = try #require(try claim(fixture, worker: Int64(round)).first)
      #expect(claimed.job.attempt == 1, "a crash is not an attempt")
      #expect(try fixture.store.recover(worker: Int64(round), from: .unlocked)?.map(\.job) == [id])
    }
    let job = try #require(try fixture.store.job(id))
    #expect(job.state == .failed && job.crashCount == 3 && job.failure?.code == "quarantined")
    #expect(try claim(fixture).isEmpty)
  }

  @Test(arguments: StoreKind.installed) func livingWorkerIsNotRecovered(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    try fixture.store.submit(JobSpec(kind: "a"))
    let lock = try #require(try fixture.database.sessionLock(9))
    let claimed = try claim(fixture, worker: 9)[0]
    #expect(try fixture.store.recover(worker: 9, from: .unlocked)?.map(\.job) == nil)
    try fixture.store.complete(claimed.claim, result: [])
    #expect(lock.isHeld())
  }

  @Test(
    "of a process that is gone the jobs are taken before its session ends, and what comes late is taken after that",
    arguments: StoreKind.installed)
  func deadWorkerWithALivingSession(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let ids = try fixture.store.submit([JobSpec(kind: "a"), JobSpec(kind: "a")]).map(\.id)
    var lock = try fixture.database.sessionLock(9)
    #expect(lock != nil)
    try fixture.store.register(worker: 9, name: "nine")
    let first = try claim(fixture, worker: 9)[0]
    #expect(try fixture.store.recover(worker: 9, from: .dead)?.map(\.job) == [ids[0]])
    #expect(try fixture.store.recover(worker: 9, from: .dead)?.isEmpty == true)
    #expect(throws: JobsError.self) { try fixture.store.complete(first.claim, result: []) }
    #expect(try fixture.store.workers().map(\.id) == [9])
    // A claim whose commit was under way when its process died.
    #expect(try claim(fixture, worker: 9)[0].job.id == ids[0])
    #expect(try fixture.store.recover(worker: 9, from: .unlocked)?.map(\.job) == nil)
    lock = nil
    var taken: [JobID]?
    // The server needs a moment to notice.
    for _ in 0..<500 where taken == nil {
      taken = try fixture.store.recover(worker: 9, from: .unlocked)?.map(\.job)
      usleep(10_000)
    }
    #expect(taken == [ids[0]])
    #expect(try fixture.store.workers().isEmpty)
    // Rehearsing changes nothing.
    try fixture.store.rehearse(kinds: ["a", "b"])
    #expect(try fixture.store.counts() == [.available: 2])
  }

  @Test(arguments: StoreKind.installed) func dependentsWaitAndFall(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let first = try fixture.store.submit(JobSpec(kind: "a")).id
    let second = try fixture.store.submit(JobSpec(kind: "a")).id
    var spec = JobSpec(kind: "a")
    spec.after = [first, second]
    let third = try fixture.store.submit(spec).id
    spec.after = [third]
    let fourth = try fixture.store.submit(spec).id
    let claimed = try claim(fixture, count: 10)
    #expect(claimed.map(\.job.id) == [first, second])
    try fixture.store.complete(claimed[0].claim, result: [])
    #expect(try fixture.store.job(third)?.waitingFor == 1)
    #expect(try claim(fixture).isEmpty)
    try fixture.store.complete(claimed[1].claim, result: [])
    let next = try claim(fixture)
    #expect(next.map(\.job.id) == [third])
    try fixture.store.fail(next[0].claim, JobFailure(code: "x", message: "", isRetriable: false, exitStatus: 65))
    let fallen = try #require(try fixture.store.job(fourth))
    #expect(fallen.state == .cancelled && fallen.failure?.code == "dependency")
    // One that comes too late for a failed job falls at once.
    #expect(try fixture.store.job(try fixture.store.submit(spec).id)?.state == .cancelled)
    spec.after = [JobID(999_999)]
    #expect(throws: JobsError.self) { try fixture.store.submit(spec) }
  }

  @Test("whoever was tried again and waits for a job that is removed is cancelled, not left waiting", arguments: StoreKind.installed)
  func removalOfWhatIsWaitedFor(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let (store, clock) = (fixture.store, fixture.clock)
    var spec = JobSpec(kind: "a")
    func submit(after: [JobID] = []) throws -> JobID {
      spec.after = after
      return try store.submit(spec).id
    }
    let first = try submit()
    let (waiting, later, done) = (try submit(after: [first]), try submit(after: [first]), try submit())
    let last = try submit(after: [waiting])
    let claimed = try claim(fixture, count: 2)
    try store.fail(claimed[0].claim, JobFailure(code: "x", message: "", isRetriable: false, exitStatus: 65))
    try store.complete(claimed[1].claim, result: [])
    // One that comes after the failure is counted like those that were there: tried again, it waits as they do.
    let late = try submit(after: [first, done])
    for id in [waiting, last, late] { #expect(try store.job(id)?.state == .cancelled && store.retry(id) == .scheduled) }
    #expect(try claim(fixture, count: 9).isEmpty)
    #expect(try !store.hasWork(kinds: ["a"], classes: ["cpu"]), "nothing drains while all wait for a job that has failed")
    clock.advance(seconds: 1)
    #expect(try store.removeFinished() == 3)
    for id in [waiting, last, late] {
      let job = try #require(try store.job(id))
      #expect(job.state == .cancelled && job.failure?.code == "dependency" && job.finishedAt == clock.now)
      #expect(
        fixture.recorder.of(id) == [id == late ? .cancelled : .scheduled, .cancelled, .scheduled, .cancelled].suffix(id == late ? 3 : 4))
    }
    #expect(try store.job(later) == nil)
    // What is gone is not waited for; what is there still is.
    #expect(try store.retry(waiting) == .available && store.retry(last) == .scheduled && store.retry(late) == .available)
    let again = try claim(fixture, count: 9)
    #expect(again.map(\.job.id) == [waiting, late])
    for job in again { try store.complete(job.claim, result: []) }
    #expect(try claim(fixture, count: 9).map(\.job.id) == [last])
  }

  @Test("reading makes no table and changes none", arguments: StoreKind.installed)
  func reading(_ kind: StoreKind) throws {
    let folder = TemporaryFolder()
    var schema = "main"
    let database: any Database
    switch kind {
    case .sqlite: database = try SQLiteDatabase(path: folder.path + "/jobs.sqlite")
    case .postgresql:
      let configuration = try #require(PostgreSQLServer.shared).configuration()
      schema = configuration.schema
      database = try PostgreSQLDatabase(configuration, makesSchema: false)
      #expect(try database.read { try $0.integer("SELECT count(*) FROM pg_namespace WHERE nspname = $1", [.text(schema)]) } == 0)
    }
    let tables =
      kind == .sqlite
      ? "SELECT name, sql FROM sqlite_master ORDER BY 1" : "SELECT tablename FROM pg_tables WHERE schemaname = '\(schema)' ORDER BY 1"
    func snapshot() throws -> [Row] { try database.read { try $0.query(tables) } }
    #expect(try database.isEmpty() && JobStore(reading: database) == nil && snapshot().isEmpty)
    if kind == .postgresql { _ = try database.write { try $0.execute("CREATE SCHEMA \(schema)") } }
    let writing = try JobStore(database: database)
    let id = try writing.submit(JobSpec(kind: "a")).id
    #expect(try JobStore(reading: database)?.job(id)?.state == .available)
    _ = try database.write { try $0.execute("UPDATE schema_version SET version = 99") }
    let before = try snapshot()
    #expect(#expect(throws: StorageError.self) { try JobStore(reading: database) }?.code == .newerSchema)
    #expect(try snapshot() == before && before.count > 5)
  }

  @Test(arguments: StoreKind.installed) func pauseResumeCancel(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    let id = try fixture.store.submit(JobSpec(kind: "a")).id
    #expect(try fixture.store.pause(id) == .paused)
    #expect(try claim(fixture).isEmpty)
    #expect(try fixture.store.resume(id) == .available)
    let claimed = try claim(fixture, worker: 4)[0]
    #expect(try fixture.store.pause(id) == .running)
    let glance = try fixture.store.glance(worker: 4, classes: [], needsUnfinished: true)
    #expect(glance.requests[id]?.request == .pause && glance.hasUnfinished)
    try fixture.store.saveCheckpoint(claimed.claim, [1, 2])
    try fixture.store.release(claimed.claim, to: .paused)
    #expect(try fixture.store.resume(id) == .available)
    let again = try claim(fixture)[0]
    #expect(again.job.checkpoint == [1, 2] && again.job.attempt == 1)
    #expect(try fixture.store.cancel(id) == .running)
    // Its worker dies before it obeys.
    _ = try fixture.store.recover(worker: 1, from: .silent)
    #expect(try fixture.store.job(id)?.state == .cancelled)
    let error = #expect(throws: JobsError.self) { try fixture.store.resume(id) }
    #expect(error?.code == .wrongState)
    #expect(#expect(throws: JobsError.self) { try fixture.store.cancel(JobID(424_242)) }?.code == .unknownJob)
  }

  @Test(arguments: StoreKind.installed) func schedulesFireOnceForMissedTimes(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    try fixture.store.setSchedule(name: "hourly", cron: CronSchedule("15 * * * *"), spec: JobSpec(kind: "a"))
    #expect(try fixture.store.fireSchedules() == fixture.clock.now + 900_000_000)
    #expect(try fixture.store.counts().isEmpty)
    fixture.clock.advance(seconds: 7 * 3600)
    _ = try fixture.store.fireSchedules()
    #expect(try fixture.store.counts() == [.available: 1])
    fixture.clock.advance(seconds: 3600)
    _ = try fixture.store.fireSchedules()
    #expect(try fixture.store.counts() == [.available: 1], "its last job is not finished")
    try fixture.store.complete(claim(fixture)[0].claim, result: [])
    fixture.clock.advance(seconds: 3600)
    _ = try fixture.store.fireSchedules()
    #expect(try fixture.store.counts() == [.available: 1, .done: 1])
    #expect(try fixture.store.removeSchedule(name: "hourly"))
    #expect(try fixture.store.schedules().isEmpty)
  }

  @Test(arguments: StoreKind.installed) func listsFilter(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    var spec = JobSpec(kind: "a")
    spec.labels = ["team": "a%b", "x": "1"]
    let first = try fixture.store.submit(spec).id
    spec.labels = ["team": "aXb"]
    spec.project = "other"
    let second = try fixture.store.submit(spec).id
    var filter = JobFilter()
    #expect(try fixture.store.jobs(filter).map(\.id) == [first, second])
    filter.labels = ["team": "a%b"]
    #expect(try fixture.store.jobs(filter).map(\.id) == [first])
    filter.labels = [:]
    filter.project = "other"
    filter.states = [.available, .done]
    #expect(try fixture.store.jobs(filter).map(\.id) == [second])
    filter.states = [.done]
    #expect(try fixture.store.jobs(filter).isEmpty)
    try fixture.store.cancel(first)
    fixture.clock.advance(seconds: 1)
    #expect(try fixture.store.removeFinished(project: "other") == 0)
    #expect(try fixture.store.removeFinished() == 1)
    #expect(try fixture.store.job(first) == nil)
  }

  /// Workers on many threads: every job is claimed once.
  @Test(arguments: StoreKind.installed) func concurrentClaimsNeverMeet(_ kind: StoreKind) throws {
    let fixture = try StoreFixture(kind)
    try fixture.store.submit([JobSpec](repeating: JobSpec(kind: "a"), count: 200))
    let seen = Seen()
    try runThreads(4) { thread in
      while true {
        let claimed = (try? fixture.store.claim(worker: Int64(thread + 1), slotClass: "cpu", count: 7, kinds: ["a"])) ?? []
        if claimed.isEmpty { return }
        precondition(claimed.count <= 7)
        seen.add(claimed.map(\.job.id))
      }
    }
    #expect(seen.ids.count == 200)
    #expect(Set(seen.ids).count == 200)
  }

  /// The claim reads the head of an index, so that its cost does not grow with the queue.
  @Test func claimUsesItsIndex() throws {
    let fixture = try StoreFixture(.sqlite)
    let sql = "EXPLAIN QUERY PLAN " + JobStore.claimStatement(kinds: 1, dialect: .sqlite)
    let plan = try fixture.database.write { try $0.query(sql, [1, 1, "cpu", 1, "a"]) }.compactMap { $0.text(3) }
    #expect(plan.contains { $0.contains("USING INDEX job_claim (class=?)") }, "\(plan)")
    #expect(!plan.contains { $0.contains("SCAN job") || $0.contains("TEMP B-TREE") }, "\(plan)")
  }
}
