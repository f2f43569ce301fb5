import Glibc
public import MediaCore
import PositionedJSON
import Storage
import Synchronization

/// A runner as a service: tells the service manager, answers health checks, logs in JSON lines, and stops when it is asked.
public final class Daemon: Sendable {
  /// How the daemon presents itself.
  public struct Configuration: Sendable {
    /// The unix socket for `/livez`, `/readyz` and `/metrics`. Default none.
    public var socketPath: String?
    /// Takes each log line, a JSON object without a newline. Default nowhere.
    public var log: (@Sendable (String) -> Void)?
    public var notifier = ServiceNotifier()

    public init() {}
  }

  private let runner: Runner
  private let metrics: RunnerMetrics
  private let configuration: Configuration
  private let isReady = Atomic<Bool>(false)
  private let isOver = Atomic<Bool>(false)

  public init(
    store: JobStore, handlers: JobHandlers, runner settings: RunnerConfiguration = RunnerConfiguration(),
    configuration: Configuration = Configuration()
  ) throws {
    let metrics = RunnerMetrics()
    var settings = settings
    let also = settings.onEvent
    let log = configuration.log
    settings.onEvent = { event in
      metrics.record(event)
      log?(Daemon.line(event))
      also?(event)
    }
    self.metrics = metrics
    self.configuration = configuration
    runner = try Runner(store: store, handlers: handlers, configuration: settings)
  }

  /// Runs until the goal is reached or `cancellation` is set; then running jobs save a checkpoint and go back to the queue.
  public func run(until goal: RunnerGoal = .stopped, cancellation: Cancellation) throws {
    let server = try configuration.socketPath.map { path in try HealthServer(path: path) { self.answer($0) } }
    defer { server?.close() }
    isReady.store(true, ordering: .relaxed)
    configuration.notifier.send("READY=1\nSTATUS=waiting for jobs")
    try NativeThread { self.attend(cancellation) }.detach()
    defer { isOver.store(true, ordering: .relaxed) }
    try runner.run(until: goal)
    isReady.store(false, ordering: .relaxed)
  }

  /// Looks after cancellation and watchdog until the runner has ended.
  private func attend(_ cancellation: Cancellation) {
    let watchdog = configuration.notifier.watchdogMicroseconds.map { $0 / 2 }
    var nextBark: Int64 = 0
    var isStopping = false
    while !isOver.load(ordering: .relaxed) {
      if cancellation.isCancelled, !isStopping {
        isStopping = true
        isReady.store(false, ordering: .relaxed)
        configuration.notifier.send("STOPPING=1\nSTATUS=giving jobs back")
        runner.stop()
      }
      let now = Thread.monotonicMicroseconds()
      if let watchdog, now >= nextBark, isAlive {
        configuration.notifier.send("WATCHDOG=1")
        nextBark = now + watchdog
      }
      // Waking more often would cost more than all the rest of a worker that waits for an encode.
      Thread.sleep(microseconds: 100_000)
    }
  }

  /// Whether the dispatcher goes round.
  private var isAlive: Bool { runner.secondsSinceRound < 30 }

  private func answer(_ path: String) -> HealthServer.Answer? {
    switch path {
    case "/livez": return isAlive ? .init(200, "ok\n") : .init(503, "the dispatcher has stalled\n")
    case "/readyz":
      guard isReady.load(ordering: .relaxed) else { return .init(503, "not ready\n") }
      do {
        _ = try runner.store.workers()
        return .init(200, "ok\n")
      } catch {
        return .init(503, "the store does not answer\n")
      }
    case "/metrics": return .init(200, metrics.text(runner))
    default: return nil
    }
  }

  /// A log line: no path, label, payload or message of a handler stands in it.
  static func line(_ event: RunnerEvent) -> String {
    var members: [(String, JSON)] = [("time", .double(Double(JobClock.system.now()) / 1e6))]
    func add(_ level: String, _ name: String, _ more: [(String, JSON)] = []) {
      members += [("level", .string(level)), ("event", .string(name))] + more
    }
    switch event {
    case .started(let worker): add("info", "started", [("worker", .integer(worker)), ("pid", .integer(Int64(getpid())))])
    case .claimed(let id, let kind, let attempt):
      add("info", "claimed", [("job", .integer(id.rawValue)), ("kind", .string(kind)), ("attempt", JSON(attempt))])
    case .ended(let id, let kind, let state, let failure, let seconds):
      var more: [(String, JSON)] = [("job", .integer(id.rawValue)), ("kind", .string(kind)), ("state", .string(state?.name ?? "lost"))]
      if let failure { more += [("code", .string(failure.code)), ("status", .integer(Int64(failure.exitStatus)))] }
      add(state == .failed ? "error" : "info", "ended", more + [("seconds", .double(seconds))])
    case .recovered(let worker, let jobs):
      add("warning", "recovered", [("worker", .integer(worker)), ("jobs", .array(jobs.map { .integer($0.rawValue) }))])
    case .storeFailed(let message): add("error", "storeFailed", [("message", .string(message))])
    case .stranded(let jobs):
      let groups = jobs.map {
        JSON.object([
          ("kind", .string($0.kind)), ("class", .string($0.slotClass)), ("reason", .string($0.reason.rawValue)), ("count", JSON($0.count)),
        ])
      }
      add("warning", "stranded", [("jobs", .array(groups))])
    case .stopping: add("info", "stopping")
    case .stopped: add("info", "stopped")
    }
    return JSON.object(members).text(indent: nil)
  }
}
