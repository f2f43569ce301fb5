import FileAccess
import Glibc
public import Jobs
import MediaCore
public import Storage
import Synchronization
import TestBasics

/// A worker of the kill storm: `PROGRAM STORE FOLDER SEED LEASE_SECONDS`. STORE is a path, or `SCHEMA=URL`.
///
/// Draws from its seed at which step of which attempt it kills or stops itself, writes that to `FOLDER/kills` before,
/// and what it recovered to `FOLDER/recoveries`, both with the time.
public enum StormWorker {
  /// Runs the worker of this process's arguments.
  /// - Parameters:
  ///   - slots: as in `RunnerConfiguration`.
  ///   - register: adds handlers; it is handed what each of them calls while it works, to die there.
  public static func main(slots: [String: Int], _ register: (inout JobHandlers, Fate) -> Void) -> Int32 {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let seed = UInt64(arguments[3]), let lease = Double(arguments[4]) else { return 64 }
    do {
      let fate = Fate(seed: seed, journal: Journal(folder: arguments[2]))
      var handlers = JobHandlers()
      register(&handlers, fate)
      try run(store: arguments[1], folder: arguments[2], lease: lease, slots: slots, handlers: handlers, fate: fate)
      return 0
    } catch {
      let text = Array("storm-worker: \(error)\n".utf8)
      _ = write(2, text, text.count)
      return 70
    }
  }

  public static func open(_ store: String) throws -> any Database {
    guard let equals = store.firstIndex(of: "="), !store.hasPrefix("/") else { return try SQLiteDatabase(path: store) }
    var configuration = PostgreSQLConfiguration(url: String(store[store.index(after: equals)...]))
    configuration.schema = String(store[..<equals])
    configuration.restartGraceSeconds = 0
    return try PostgreSQLDatabase(configuration)
  }

  private static func run(
    store: String, folder: String, lease: Double, slots: [String: Int], handlers: JobHandlers, fate: Fate
  ) throws {
    var configuration = RunnerConfiguration()
    configuration.slots = slots
    configuration.folder = folder + "/worker"
    configuration.leaseSeconds = lease
    configuration.onEvent = { event in
      switch event {
      case .started(let worker): fate.begin(worker)
      case .recovered(let worker, _): fate.journal.add("recoveries", "\(worker)")
      default: break
      }
    }
    configuration.onPhase = { phase, _ in fate.decide(phase.rawValue) }
    let jobs = try JobStore(database: open(store), recorder: EventTable())
    try Runner(store: jobs, handlers: handlers, configuration: configuration).run(until: .drained)
  }

  /// The handlers of plain jobs: `write` writes a file in pieces, `poison` kills its worker.
  public static func registerPlain(_ handlers: inout JobHandlers, _ fate: Fate?) {
    handlers.register("write") { context in
      let file = try context.files.createOutput("out")
      let text = try context.scratchFolder() + "/part"
      let scratch = Glibc.open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
      close(scratch)
      // In pieces, so that a torn file would show.
      for (index, piece) in content(context.job.id).enumerated() {
        _ = write(file.descriptor.rawValue, piece, piece.count)
        if index == 4 { fate?.decide("encode") }
      }
      try context.saveCheckpoint([1])
      let id = context.job.id
      return JobAnswer(sidecars: ["out": { #"{"job":\#(id),"sha256":"\#($0)"}"# }])
    }
    // Runs until it is told to stop.
    handlers.register("wait") { context in
      while !context.cancellation.isCancelled { usleep(10_000) }
      throw JobsError(.stopped, "cannot wait", reason: "told to stop")
    }
    handlers.register("poison") { _ in
      kill(getpid(), SIGKILL)
      return JobAnswer()
    }
  }

  /// What job `id` writes, in pieces.
  public static func content(_ id: JobID) -> [[UInt8]] {
    (0..<8).map { [UInt8](repeating: UInt8(truncatingIfNeeded: id.rawValue * 8 + $0), count: 4096) }
  }
}

/// Decides when this process dies or stops.
public final class Fate: Sendable {
  let journal: Journal
  private let isCalm: Bool
  private let generator: Mutex<SplitMix>
  private let worker = Mutex<Int64>(0)

  init(seed: UInt64, journal: Journal) {
    isCalm = seed == 0
    generator = Mutex(SplitMix(state: seed))
    self.journal = journal
  }

  fileprivate func begin(_ worker: Int64) {
    self.worker.withLock { $0 = worker }
    // Death at any instruction, also inside the steps.
    if draw(3) == 0 { die("any", afterMicroseconds: 10_000 + UInt32(draw(150_000))) }
  }

  /// A number below `bound`; a worker of seed 0 is calm and draws the highest, which means no harm anywhere.
  public func draw(_ bound: UInt64) -> UInt64 { isCalm ? bound - 1 : generator.withLock { $0.next() % bound } }

  /// In most processes somebody dies before long; a few live.
  public func decide(_ phase: String) {
    let draw = draw(1000)
    if draw < 60 {
      die(phase)
    } else if draw < 62 {
      journal.add("stops", "\(phase) \(worker.withLock { $0 })")
      kill(getpid(), SIGSTOP)
    }
  }

  /// Kills this process in a while, whatever it does then.
  public func die(_ phase: String, afterMicroseconds delay: UInt32) {
    let killer = try? NativeThread { [self] in
      usleep(delay)
      die(phase)
    }
    killer?.detach()
  }

  private func die(_ phase: String) {
    journal.add("kills", "\(phase) \(worker.withLock { $0 })")
    kill(getpid(), SIGKILL)
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
public struct Journal: Sendable {
  let folder: String

  public init(folder: String) { self.folder = folder }

  public func add(_ file: String, _ text: String) {
    let descriptor = Glibc.open("\(folder)/\(file)", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let line = Array("\(JobClock.system.now()) \(text)\n".utf8)
    _ = write(descriptor, line, line.count)
  }
}
