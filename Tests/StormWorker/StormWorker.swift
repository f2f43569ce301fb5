import Crypto
import FileAccess
import Glibc
import Jobs
import Storage
import Synchronization

/// A worker of the kill storm: `storm-worker STORE FOLDER SEED LEASE_SECONDS`. STORE is a path, or `SCHEMA=URL`.
///
/// Draws from its seed at which step of which attempt it kills or stops itself, writes that to `FOLDER/kills` before,
/// and what it recovered to `FOLDER/recoveries`, both with the time.
enum StormWorker {
  static func main() -> Int32 {
    let arguments = CommandLine.arguments
    if arguments.count == 5, arguments[1] == "record" {
      do {
        try Recording.run(folder: arguments[2], journal: arguments[3], count: Int(arguments[4]) ?? 1)
        return 0
      } catch {
        return 70
      }
    }
    guard arguments.count == 5, let seed = UInt64(arguments[3]), let lease = Double(arguments[4]) else { return 64 }
    do {
      try run(store: arguments[1], folder: arguments[2], seed: seed, lease: lease)
      return 0
    } catch {
      let text = Array("storm-worker: \(error)\n".utf8)
      _ = write(2, text, text.count)
      return 70
    }
  }

  static func open(_ store: String) throws -> any Database {
    guard let equals = store.firstIndex(of: "="), !store.hasPrefix("/") else { return try SQLiteDatabase(path: store) }
    var configuration = PostgreSQLConfiguration(url: String(store[store.index(after: equals)...]))
    configuration.schema = String(store[..<equals])
    configuration.restartGraceSeconds = 0
    return try PostgreSQLDatabase(configuration)
  }

  private static func run(store: String, folder: String, seed: UInt64, lease: Double) throws {
    let generator = Mutex(SplitMix(state: seed))
    let journal = Journal(folder: folder)
    var configuration = RunnerConfiguration()
    configuration.slots = ["cpu": 2]
    configuration.folder = folder + "/worker"
    configuration.leaseSeconds = lease
    let name = Mutex<Int64>(0)
    configuration.onEvent = { event in
      switch event {
      case .started(let worker): name.withLock { $0 = worker }
      case .recovered(let worker, _): journal.add("recoveries", "\(worker)")
      default: break
      }
    }
    configuration.onPhase = { phase, _ in
      let draw = generator.withLock { $0.next() % 1000 }
      // In most processes somebody dies before long; a few live.
      if draw < 60 {
        journal.add("kills", "\(phase.rawValue) \(name.withLock { $0 })")
        kill(getpid(), SIGKILL)
      } else if draw < 66 {
        journal.add("stops", "\(phase.rawValue) \(name.withLock { $0 })")
        kill(getpid(), SIGSTOP)
      }
    }
    if generator.withLock({ $0.next() % 3 }) == 0 {
      // Death at any instruction, also inside the steps.
      let after = UInt32(generator.withLock { 10_000 + $0.next() % 150_000 })
      startThread {
        usleep(after)
        journal.add("kills", "any \(name.withLock { $0 })")
        kill(getpid(), SIGKILL)
      }
    }
    let database = try open(store)
    let jobs = try JobStore(database: database, recorder: EventTable())
    try Runner(store: jobs, handlers: handlers, configuration: configuration).run(until: .drained)
  }

  static var handlers: JobHandlers {
    var handlers = JobHandlers()
    handlers.register("write") { context in
      let file = try context.files.createOutput("out")
      let text = try context.scratchFolder() + "/part"
      let scratch = Glibc.open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
      close(scratch)
      // In pieces, so that a torn file would show.
      for piece in content(context.job.id) { _ = write(file.descriptor.rawValue, piece, piece.count) }
      try context.saveCheckpoint([1])
      let id = context.job.id
      return JobAnswer(sidecars: ["out": { #"{"job":\#(id),"sha256":"\#($0)"}"# }])
    }
    handlers.register("poison") { _ in
      kill(getpid(), SIGKILL)
      return JobAnswer()
    }
    return handlers
  }

  /// What job `id` writes.
  static func content(_ id: JobID) -> [[UInt8]] {
    (0..<8).map { [UInt8](repeating: UInt8(truncatingIfNeeded: id.rawValue * 8 + $0), count: 4096) }
  }
}

/// One row a transition, in the transaction of the transition.
final class EventTable: JobRecorder {
  func record(_ transition: JobTransition, in transaction: any Transaction) throws {
    try transaction.execute(
      "INSERT INTO storm_event(job, state) VALUES ($1, $2)", [.integer(transition.job.rawValue), .integer(transition.to.rawValue)])
  }
}

/// Appends lines with the time; a line is in the page cache before the next instruction, so it survives the process.
struct Journal: Sendable {
  let folder: String

  func add(_ file: String, _ text: String) {
    let descriptor = Glibc.open("\(folder)/\(file)", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let line = Array("\(JobClock.system.now()) \(text)\n".utf8)
    _ = write(descriptor, line, line.count)
  }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
}
