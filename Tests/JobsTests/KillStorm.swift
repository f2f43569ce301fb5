import DatabaseTestSupport
import FileAccess
import FoundationEssentials
import Glibc
import MediaCore
import PositionedJSON
import Storage
import StormSupport
import Synchronization
import TestBasics
import Testing

@testable import Jobs

/// Runs worker processes that kill and stop themselves at drawn steps until all jobs are done, then counts what is there.
final class KillStorm {
  struct Outcome {
    var kills: [String: Int] = [:]
    var stops = 0
    /// Milliseconds from the death of a worker to its jobs being back in the queue, in order.
    var recoveries: [Double] = []
    /// Those of them during which a stopped process held SQLite's write lock: until it goes on nobody can write.
    var stalled: [Double] = []
    var renders = 0
    var problems: [String] = []
    var isFinished = false
    var totalKills: Int { kills.values.reduce(0, +) }

    func recovery(_ quantile: Double) -> Double {
      recoveries.isEmpty ? 0 : recoveries[min(recoveries.count - 1, Int(Double(recoveries.count) * quantile))]
    }
  }

  private let folder = TemporaryFolder()
  private let kind: StoreKind
  private let store: JobStore
  private let address: String
  private let leaseSeconds = 1.0
  private var seed: UInt64
  /// The programs that run.
  private var children: [pid_t: String] = [:]
  private var stopped: [pid_t: Int64] = [:]
  /// From when to when a stopped process held the write lock; wall-clock microseconds.
  private var stalls: [(from: Int64, to: Int64)] = []
  private var holders: [pid_t: Int64] = [:]
  private lazy var writeLock = SQLiteWriteLock(database: address)

  private final class Events: JobRecorder {
    func record(_ transition: JobTransition, in transaction: any Transaction) throws {
      try transaction.execute(
        "INSERT INTO storm_event(job, state) VALUES ($1, $2)", [.integer(transition.job.rawValue), .integer(transition.to.rawValue)])
    }
  }

  init(_ kind: StoreKind, seed: UInt64) throws {
    self.kind = kind
    self.seed = seed
    let database: any Database
    switch kind {
    case .sqlite:
      address = folder.path + "/state/jobs.sqlite"
      database = try SQLiteDatabase(path: address)
    case .postgresql:
      let configuration = try #require(PostgreSQLServer.shared).configuration()
      address = "\(configuration.schema)=\(configuration.url)"
      database = try PostgreSQLDatabase(configuration)
    }
    try database.migrate(module: "storm", [Migration(1) { _ in ["CREATE TABLE storm_event(job BIGINT NOT NULL, state BIGINT NOT NULL)"] }])
    store = try JobStore(database: database, recorder: Events())
    mkdir(folder.path + "/out", 0o700)
    mkdir(folder.path + "/worker", 0o700)
  }

  /// Ends when `jobs` jobs are done, in batches until `kills` deaths have happened, or after `seconds`.
  func run(jobs: Int, kills: Int, seconds: Int, workers: Int = 4) throws -> Outcome {
    let end = Thread.monotonicMicroseconds() + Int64(seconds) * 1_000_000
    var isFinished = false
    var submitted: [JobID] = []
    // One neighbour that lives, as on a machine where only some workers die: it takes no jobs.
    let observer = try observer()
    defer { observer.stop() }
    while true {
      let counts = try store.retrying { try store.counts() }
      let left = [JobState.available, .scheduled, .running, .retryable].reduce(0) { $0 + (counts[$1] ?? 0) }
      let died = lineCount("kills") + lineCount("stops")
      if left == 0, died >= kills, !submitted.isEmpty {
        isFinished = true
        break
      }
      if Thread.monotonicMicroseconds() > end { break }
      if left < 20, submitted.count < jobs || died < kills { submitted += try submit(min(40, max(20, jobs - submitted.count))) }
      try keepAlive("storm-worker", workers)
      try keepAlive("storm-media-worker", 1)
      usleep(10_000)
    }
    let hasTime = isFinished
    // The last workers leave by themselves, or are ended here; a calm one then sweeps and recovers.
    for child in children.keys { kill(child, SIGKILL) }
    reapAll()
    observer.stop()
    var outcome = count(submitted)
    outcome.isFinished = hasTime
    return outcome
  }

  private func filter(_ states: JobState...) -> JobFilter {
    var filter = JobFilter()
    filter.states = Set(states)
    filter.limit = 1_000_000
    return filter
  }

  /// Looks after the dead, takes no jobs.
  private func observer() throws -> Runner {
    var configuration = RunnerConfiguration()
    configuration.slots = [:]
    configuration.folder = folder.path + "/worker"
    configuration.leaseSeconds = leaseSeconds
    let journal = Journal(folder: folder.path)
    configuration.onEvent = { event in
      if case .recovered(let worker, _) = event { journal.add("recoveries", "\(worker)") }
    }
    var handlers = JobHandlers()
    handlers.register("none") { _ in JobAnswer() }
    let runner = try Runner(store: store, handlers: handlers, configuration: configuration)
    try NativeThread {
      do { try runner.run(until: .stopped) } catch { Issue.record(error) }
    }.detach()
    return runner
  }

  private static let document = """
    {"reel": 1, "canvas": {"width": 160, "height": 90, "frameRate": "25"}, "sequence": [
      {"image": "grapefruit_slices.jpg", "duration": "0.4s", "fit": "cover"}, {"transition": "crossfade", "duration": "0.2s"},
      {"image": "peacock.jpg", "duration": "0.4s", "fit": "cover"}]}
    """

  private func spec() -> JobSpec {
    seed &+= 1
    var spec = JobSpec(kind: seed % 50 == 0 ? "poison" : seed % 20 == 7 ? "render" : "write")
    // The storm kills ordinary jobs as often as it likes; only the poisoned are to be found out.
    spec.crashLimit = spec.kind == "poison" ? 3 : 1_000_000
    spec.retry.baseSeconds = 0.01
    spec.retry.capSeconds = 0.05
    switch spec.kind {
    case "write": spec.outputs = ["out": "\(folder.path)/out/\(seed)"]
    case "render":
      spec.slotClass = "encode"
      let payload = JSON.object([("document", .string(KillStorm.document)), ("documentName", .string("storm.reel"))])
      spec.payload = Array(payload.text(indent: nil).utf8)
      let media = PendingFile.split(PendingFile.split(PendingFile.split(#filePath).folder).folder).folder + "/Samples/ad/media/"
      for name in ["grapefruit_slices.jpg", "peacock.jpg"] { spec.inputs[name] = media + name }
      spec.outputs = ["output": "\(folder.path)/out/\(seed).mp4"]
    default: break
    }
    return spec
  }

  private func submit(_ count: Int) throws -> [JobID] {
    let specs = (0..<count).map { _ in spec() }
    // A worker that is stopped inside a transaction keeps SQLite's write lock until it goes on, and it is this thread that
    // would let it.
    return try store.retrying {
      try wakeStopped(olderThan: 0)
      return try store.submit(specs).map(\.id)
    }
  }

  private func keepAlive(_ program: String, _ count: Int) throws {
    // Child by child: others of this process belong to other tests.
    for child in children.keys {
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG | WUNTRACED) == child else { continue }
      if status & 0xff == 0x7f {
        stopped[child] = Thread.monotonicMicroseconds()
        if kind == .sqlite, writeLock.holder == child { holders[child] = JobClock.system.now() }
      } else {
        children[child] = nil
        stopped[child] = nil
        if let from = holders.removeValue(forKey: child) { stalls.append((from, JobClock.system.now())) }
      }
    }
    // Wakes up when its jobs have been taken over.
    try wakeStopped(olderThan: Int64(leaseSeconds * 1.3e6))
    let living = children.filter { $0.value == program && stopped[$0.key] == nil }.count
    for _ in living..<max(living, count) { try spawn(program) }
  }

  private func wakeStopped(olderThan age: Int64) throws {
    for (child, since) in stopped where Thread.monotonicMicroseconds() - since >= age {
      kill(child, SIGCONT)
      stopped[child] = nil
      if let from = holders.removeValue(forKey: child) { stalls.append((from, JobClock.system.now())) }
    }
  }

  private func reapAll() {
    var status: Int32 = 0
    for child in children.keys { waitpid(child, &status, 0) }
    children.removeAll()
    stopped.removeAll()
  }

  @discardableResult
  private func spawn(_ program: String, isCalm: Bool = false) throws -> pid_t {
    seed &+= 1
    let path = builtProgram(program)
    let fate = isCalm ? "0" : "\(max(1, seed &* 0x9e37_79b9))"
    var arguments = ([path, address, folder.path, fate, "\(leaseSeconds)"] as [String]).map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    guard posix_spawn(&child, path, nil, nil, &arguments, environ) == 0 else {
      throw JobsError(.io, "cannot start \(path)", reason: String(cString: strerror(errno)))
    }
    children[child] = program
    return child
  }

  /// Asked for all the time: splitting the lines would take longer than everything else.
  private func lineCount(_ name: String) -> Int { (Publication.contents("\(folder.path)/\(name)") ?? []).count { $0 == 10 } }

  private func journal(_ name: String) -> [[Substring]] {
    let bytes = Publication.contents("\(folder.path)/\(name)") ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
  }

  private func count(_ submitted: [JobID]) -> Outcome {
    var outcome = Outcome()
    var diedAt: [Substring: Int64] = [:]
    for line in journal("kills") where line.count == 3 {
      outcome.kills[String(line[1]), default: 0] += 1
      diedAt[line[2]] = Int64(line[0])
    }
    outcome.stops = journal("stops").count
    var seen: Set<Substring> = []
    for line in journal("recoveries") where line.count == 2 {
      // Taken once; a second one found nothing left to take.
      guard let died = diedAt[line[1]], let found = Int64(line[0]), found >= died, seen.insert(line[1]).inserted else { continue }
      let milliseconds = Double(found - died) / 1000
      if stalls.contains(where: { $0.from < found && $0.to > died }) {
        outcome.stalled.append(milliseconds)
      } else {
        outcome.recoveries.append(milliseconds)
      }
    }
    outcome.recoveries.sort()
    outcome.stalled.sort()
    do {
      // Calm workers sweep, recover, and do what is left when the time was up.
      for program in ["storm-worker", "storm-media-worker"] { try spawn(program, isCalm: true) }
      // A poisoned one kills also a calm worker.
      var status: Int32 = 0
      while !children.isEmpty {
        for (child, program) in children where waitpid(child, &status, WNOHANG) == child {
          children[child] = nil
          if status != 0 { try spawn(program, isCalm: true) }
        }
        usleep(10_000)
      }
      outcome.renders = try store.jobs(filter(.done)).count { $0.spec.kind == "render" }
      outcome.problems = try verify(submitted)
    } catch {
      outcome.problems.append("\(error)")
    }
    return outcome
  }

  private func verify(_ submitted: [JobID]) throws -> [String] {
    var problems: [String] = []
    let events = try store.database.read { try $0.query("SELECT job, count(*) FROM storm_event WHERE state = 5 GROUP BY job") }
    let done = Dictionary(uniqueKeysWithValues: events.map { (JobID($0.integer(0) ?? 0), $0.integer(1) ?? 0) })
    var expected: Set<String> = []
    var renders: Set<String> = []
    for id in submitted {
      guard let job = try store.job(id) else {
        problems.append("job \(id) is lost")
        continue
      }
      if job.spec.kind == "poison" {
        if job.state != .failed || job.failure?.code != "quarantined" || job.crashCount != 3 {
          problems.append("poison \(id) is \(job.state)")
        }
        continue
      }
      let path = job.spec.outputs.values.first ?? ""
      let name = PendingFile.split(path).name
      expected.formUnion([name, name + ".sidecar.json"])
      if job.state != .done { problems.append("job \(id) is \(job.state)") }
      if done[id] != 1 { problems.append("job \(id) has \(done[id] ?? 0) done events") }
      let recorded = try store.outputs(of: id)
      let isWhole =
        if job.spec.kind == "write" {
          Publication.contents(path) == StormWorker.content(id).flatMap { $0 }
        } else {
          recorded.first.map { Publication.stands($0) } == true
        }
      if !isWhole { problems.append("the output of job \(id) is torn or missing") }
      // A render gives the same bytes however often it was begun.
      if job.spec.kind == "render" { renders.formUnion(recorded.map(\.sha256)) }
      let sidecar = Publication.contents(path + ".sidecar.json").map { String(decoding: $0, as: UTF8.self) }
      if recorded.count != 1 || sidecar == nil || sidecar != recorded.first?.sidecar {
        problems.append("the sidecar of job \(id) is not its own")
      }
    }
    if renders.count > 1 { problems.append("renders differ: \(renders.sorted())") }
    let found = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out"))
    if found != expected { problems.append("unexpected or missing files: \(found.symmetricDifference(expected).sorted().prefix(5))") }
    let scratch = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/worker/scratch")) ?? []
    if !scratch.isEmpty { problems.append("scratch folders are left: \(scratch.prefix(5))") }
    return problems
  }
}

/// Who holds the write lock of a SQLite database in WAL mode: byte 120 of its index file (SQLite, "WAL-mode file format").
private final class SQLiteWriteLock {
  /// Open for as long as this process has the database open: closing it would drop the locks that this process holds.
  private let descriptor: Int32

  init(database: String) { descriptor = open(database + "-shm", O_RDWR | O_CLOEXEC) }

  var holder: pid_t {
    var lock = Glibc.flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 120, l_len: 1, l_pid: 0)
    guard fcntl(descriptor, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return 0 }
    return lock.l_pid
  }
}
