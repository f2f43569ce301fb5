import Crypto
import Glibc
import MediaCore
import Storage
import Synchronization

/// Runs jobs from a store in this process, as many at once as there are slots, each on a thread of its own.
///
/// Claims, time-outs, requests to pause or cancel, schedules and the jobs of workers that died are looked after by one
/// dispatcher, on the thread that calls `run`. Knows nothing of what the jobs do: that is registered in `handlers`.
public final class Runner: Sendable {
  let store: JobStore
  let handlers: JobHandlers
  let configuration: RunnerConfiguration
  let scratch: Scratch
  let folder: String
  let doorbell: any Doorbell
  /// Also the key of the session lock.
  public let worker: Int64
  let state = Mutex(State())
  /// When the dispatcher last went round, by the monotonic clock.
  let round = Atomic<Int64>(Thread.monotonicMicroseconds())

  struct State {
    var running: [JobID: JobContext] = [:]
    var used: [String: Int] = [:]
    var ended = 0
    var stop: Stop?
  }

  enum Stop {
    /// Let running jobs finish.
    case finish
    /// Ask running jobs to save a checkpoint and stop.
    case release
  }

  /// - Throws: `unknownKind` when no handler is registered; errors of the store.
  public init(store: JobStore, handlers: JobHandlers, configuration: RunnerConfiguration = RunnerConfiguration()) throws {
    guard !handlers.kinds.isEmpty else {
      throw JobsError(.unknownKind, "cannot start a runner", reason: "no handler is registered")
    }
    guard let folder = configuration.folder ?? (store.database as? SQLiteDatabase).map({ PendingFile.split($0.path).folder }) else {
      throw JobsError(.invalidSpec, "cannot start a runner", reason: "it needs a local folder", advice: "set RunnerConfiguration.folder")
    }
    self.store = store
    self.handlers = handlers
    self.configuration = configuration
    self.folder = folder
    if mkdir(folder, 0o700) == 0 { chmod(folder, 0o700) }
    scratch = Scratch(root: folder + "/scratch")
    doorbell = try store.database.doorbell(JobStore.bell)
    // Never 0, which means no worker, and positive, which PostgreSQL's bigint keys keep.
    worker = Int64(SecureRandom.uint64() >> 1) | 1
  }

  /// Runs until the goal is reached or `stop` is called, then returns when no job runs any more. Blocks its thread.
  public func run(until goal: RunnerGoal = .stopped) throws {
    let dispatcher = try Dispatcher(self, goal: goal)
    configuration.onEvent?(.started(worker: worker))
    dispatcher.run()
    configuration.onEvent?(.stopped)
  }

  /// Runs on an own thread; the calling task is suspended meanwhile.
  public func run(until goal: RunnerGoal = .stopped) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      do {
        try NativeThread {
          // Named as a function, so that the synchronous one is meant.
          let synchronous: (RunnerGoal) throws -> Void = self.run
          continuation.resume(with: Result { try synchronous(goal) })
        }.detach()
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// Stops claiming. May be called from any thread, and more than once: releasing overrides finishing.
  /// - Parameter finishRunning: whether running jobs may finish. Default false: they are asked to save a checkpoint and
  ///   stop, and go back to the queue without losing an attempt.
  public func stop(finishRunning: Bool = false) {
    let isFirst = state.withLock { state in
      defer { if !finishRunning || state.stop == nil { state.stop = finishRunning ? .finish : .release } }
      return state.stop == nil
    }
    if isFirst { configuration.onEvent?(.stopping) }
    doorbell.wake()
  }

  /// The jobs that run now.
  public var running: [JobID] { state.withLock { $0.running.keys.sorted() } }

  /// Seconds since the dispatcher last went round; it does at least once in each `beatSeconds`.
  public var secondsSinceRound: Double { Double(Thread.monotonicMicroseconds() - round.load(ordering: .relaxed)) / 1e6 }

  /// Slots in use, by class.
  public var usedSlots: [String: Int] { state.withLock { $0.used } }
}
