import DatabaseTestSupport
import FileAccess
import FoundationEssentials
import Glibc
import Storage
import Synchronization
import Testing

@testable import Jobs

/// Runs worker processes that kill and stop themselves at drawn steps until all jobs are done, then counts what is there.
final class KillStorm {
  struct Outcome {
    var kills: [String: Int] = [:]
    var stops = 0
    /// Milliseconds from the death of a worker to its jobs being back in the queue, in order.
    var recoveries: [Double] = []
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
  private var children: Set<pid_t> = []
  private var stopped: [pid_t: Int64] = [:]

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
  }

  /// Ends when `jobs` jobs are done, in batches until `kills` deaths have happened, or after `seconds`.
  func run(jobs: Int, kills: Int, seconds: Int, workers: Int = 4) throws -> Outcome {
    let end = Thread.monotonicMicroseconds() + Int64(seconds) * 1_000_000
    var isFinished = false
    var submitted: [JobID] = []
    while true {
      let left = try store.retrying { try store.jobs(filter(JobState.available, .scheduled, .running, .retryable)).count }
      let died = journal("kills").count
      if left == 0, died >= kills, !submitted.isEmpty {
        isFinished = true
        break
      }
      if Thread.monotonicMicroseconds() > end { break }
      if left < 20, submitted.count < jobs || died < kills { submitted += try submit(min(40, max(20, jobs - submitted.count))) }
      try keepAlive(workers)
      usleep(10_000)
    }
    let hasTime = isFinished
    // The last workers leave by themselves, or are ended here; a calm one then sweeps and recovers.
    for child in children { kill(child, SIGKILL) }
    reapAll()
    var outcome = count(submitted)
    outcome.isFinished = hasTime
    return outcome
  }

  private func filter(_ states: JobState...) -> JobFilter {
    var filter = JobFilter()
    filter.states = Set(states)
    return filter
  }

  private func submit(_ count: Int) throws -> [JobID] {
    var specs: [JobSpec] = []
    for _ in 0..<count {
      seed &+= 1
      var spec = JobSpec(kind: seed % 50 == 0 ? "poison" : "write")
      // The storm kills ordinary jobs as often as it likes; only the poisoned are to be found out.
      spec.crashLimit = spec.kind == "poison" ? 3 : 1_000_000
      spec.retry.baseSeconds = 0.01
      spec.retry.capSeconds = 0.05
      if spec.kind == "write" { spec.outputs = ["out": "\(folder.path)/out/\(seed)"] }
      specs.append(spec)
    }
    // A worker that is stopped inside a transaction keeps SQLite's write lock until it goes on, and it is this thread that
    // would let it.
    return try store.retrying {
      for child in children { kill(child, SIGCONT) }
      return try store.submit(specs).map(\.id)
    }
  }

  private func keepAlive(_ workers: Int) throws {
    // Child by child: others of this process belong to other tests.
    for child in children {
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG | WUNTRACED) == child else { continue }
      if status & 0xff == 0x7f {
        stopped[child] = Thread.monotonicMicroseconds()
      } else {
        children.remove(child)
        stopped[child] = nil
      }
    }
    // Wakes up when its jobs have long been taken over.
    for (child, since) in stopped where Thread.monotonicMicroseconds() - since > Int64(leaseSeconds * 2.5e6) {
      kill(child, SIGCONT)
      stopped[child] = nil
    }
    while children.count - stopped.count < workers { try spawn() }
  }

  private func reapAll() {
    var status: Int32 = 0
    for child in children { waitpid(child, &status, 0) }
    children.removeAll()
  }

  private func spawn() throws {
    seed &+= 1
    // The test bundle and the executables lie in one folder.
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let built = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? executable
    let path = PendingFile.split(built).folder + "/storm-worker"
    var arguments = ([path, address, folder.path, "\(seed &* 0x9e37_79b9)", "\(leaseSeconds)"] as [String]).map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    guard posix_spawn(&child, path, nil, nil, &arguments, environ) == 0 else {
      throw JobsError(.io, "cannot start \(path)", reason: String(cString: strerror(errno)))
    }
    children.insert(child)
  }

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
    for line in journal("recoveries") where line.count == 2 {
      if let died = diedAt[line[1]], let found = Int64(line[0]) { outcome.recoveries.append(Double(found - died) / 1000) }
    }
    outcome.recoveries.sort()
    do {
      // A calm worker sweeps, recovers, and does what is left when the time was up.
      var handlers = JobHandlers()
      handlers.register("poison") { _ in throw JobsError(.crashed, "worker", reason: "poison") }
      handlers.register("write") { context in
        let file = try context.files.createOutput("out")
        for piece in KillStorm.content(context.job.id) { _ = write(file.descriptor.rawValue, piece, piece.count) }
        let id = context.job.id
        return JobAnswer(sidecars: ["out": { #"{"job":\#(id),"sha256":"\#($0)"}"# }])
      }
      var configuration = RunnerConfiguration()
      configuration.folder = folder.path + "/worker"
      try Runner(store: store, handlers: handlers, configuration: configuration).run(until: .drained)
      outcome.problems = try verify(submitted)
    } catch {
      outcome.problems.append("\(error)")
    }
    return outcome
  }

  /// What job `id` writes, in pieces.
  private static func content(_ id: JobID) -> [[UInt8]] {
    (0..<8).map { [UInt8](repeating: UInt8(truncatingIfNeeded: id.rawValue * 8 + $0), count: 4096) }
  }

  private func verify(_ submitted: [JobID]) throws -> [String] {
    var problems: [String] = []
    let events = try store.database.read { try $0.query("SELECT job, count(*) FROM storm_event WHERE state = 5 GROUP BY job") }
    let done = Dictionary(uniqueKeysWithValues: events.map { (JobID($0.integer(0) ?? 0), $0.integer(1) ?? 0) })
    var expected: Set<String> = []
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
      let path = job.spec.outputs["out"] ?? ""
      let name = PendingFile.split(path).name
      expected.formUnion([name, name + ".sidecar.json"])
      if job.state != .done { problems.append("job \(id) is \(job.state)") }
      if done[id] != 1 { problems.append("job \(id) has \(done[id] ?? 0) done events") }
      if Publication.contents(path) != KillStorm.content(id).flatMap({ $0 }) {
        problems.append("the output of job \(id) is torn or missing")
      }
      let recorded = try store.outputs(of: id)
      let sidecar = Publication.contents(path + ".sidecar.json").map { String(decoding: $0, as: UTF8.self) }
      if recorded.count != 1 || sidecar == nil || sidecar != recorded.first?.sidecar {
        problems.append("the sidecar of job \(id) is not its own")
      }
    }
    let found = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out"))
    if found != expected { problems.append("unexpected or missing files: \(found.symmetricDifference(expected).sorted().prefix(5))") }
    let scratch = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/worker/scratch")) ?? []
    if !scratch.isEmpty { problems.append("scratch folders are left: \(scratch.prefix(5))") }
    return problems
  }
}
