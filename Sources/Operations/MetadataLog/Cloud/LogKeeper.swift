internal import Glibc
internal import MediaCore
internal import Storage
internal import Synchronization
internal import Transfer

/// Looks after a log while a worker runs, on a thread of its own: purges every few minutes, sums up the
/// day, keeps a backup of a SQLite store, sends what waits, and (on another thread, so that nothing waits for a collector)
/// exports telemetry every few seconds.
///
/// Of several processes on one store one keeps the log; another takes over when it ends. A failure is reported to `problem`
/// and tried again; it never reaches the worker.
public final class LogKeeper: Sendable {
  /// The database lock that the one keeper holds.
  static let lockKey: Int64 = 0x6C6F_676B

  private let log: MetadataLog
  private let transport: (any ReportTransport)?
  private let purgeSeconds: Double
  private let problem: @Sendable (String) -> Void
  private let cancellation = Cancellation()
  private let doorbell: any Doorbell
  private let thread = Mutex<NativeThread?>(nil)

  /// - Parameters:
  ///   - transport: default `MetadataLog.makeClient()`.
  ///   - purgeSeconds: how often what is due is purged. Default 300.
  ///   - problem: told what failed, in one line without secrets, on the keeper's thread. Default: nobody.
  public init(
    _ log: MetadataLog, transport: (any ReportTransport)? = nil, purgeSeconds: Double = 300,
    problem: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.log = log
    self.transport = transport
    self.purgeSeconds = purgeSeconds
    self.problem = problem
    doorbell = try log.database.doorbell(MetadataLog.bell)
  }

  /// Starts the thread; does nothing when it runs.
  public func start() {
    thread.withLock { thread in
      if thread == nil { thread = try? NativeThread { self.run() } }
    }
  }

  /// Ends the thread, after the request that may be under way, and waits for it.
  public func stop() {
    cancellation.cancel()
    doorbell.wake()
    thread.withLock { thread in thread.take() }?.join()
  }

  private func run() {
    while !cancellation.isCancelled {
      do {
        if let lock = try log.database.sessionLock(Self.lockKey) {
          // Ends with this turn, whatever ends that: the next keeper exports from where this one stood.
          let exporting = try StopSignal()
          let exporter = try NativeThread { self.export(until: exporting) }
          defer {
            exporting.stop()
            exporter.join()
          }
          try keep(while: lock)
        }
      } catch {
        // Of an error of another module only its kind is known to be free of secrets.
        problem((error as? MetadataLogError)?.description ?? "the log cannot be kept: \(type(of: error))")
      }
      Sleep.seconds(1, cancellation: cancellation)
    }
  }

  /// Looks for new events every few seconds; a burst becomes one request.
  private func export(until end: StopSignal) {
    var lastProblem: String?
    var exporter: TelemetryExporter?
    var pause = 0.0
    while !end.wait(seconds: pause) {
      pause = 5
      do {
        let current =
          try exporter
          ?? TelemetryExporter(
            log: log, transport: transport ?? StoppableClient(client: log.makeClient(), cancellation: cancellation))
        exporter = current
        switch try current.step() {
        case .sent, .refused: pause = 0
        case .wait(let seconds): pause = min(seconds, 5)
        case .idle, .off: break
        }
        if let text = current.lastProblem, text != lastProblem { problem("telemetry: \(text)") }
        lastProblem = current.lastProblem
      } catch {
        // The settings may have changed, or the database is away.
        exporter = nil
        let text = (error as? MetadataLogError)?.description ?? "it cannot be sent: \(type(of: error))"
        if text != lastProblem { problem("telemetry: \(text)") }
        lastProblem = text
      }
    }
  }

  private func keep(while lock: any SessionLock) throws {
    let reporter = try Reporter(log: log, transport: transport ?? StoppableClient(client: log.makeClient(), cancellation: cancellation))
    var nextPurge: Int64 = 0
    var lastProblem: String?
    while !cancellation.isCancelled {
      if log.now() >= nextPurge {
        // A database server that restarted has forgotten the lock.
        guard lock.isHeld() else { return }
        try log.purge()
        try log.summarizeOnce()
        backUp()
        nextPurge = log.now() + Int64(purgeSeconds * 1_000_000)
      }
      var pause = 5.0
      var isWaiting = false
      switch try reporter.step() {
      case .sent, .quarantined: pause = 0
      case .idle, .off: break
      case .wait(let seconds):
        pause = min(seconds, 5)
        isWaiting = true
      }
      if let text = reporter.lastProblem, text != lastProblem { problem(text) }
      lastProblem = reporter.lastProblem
      // A wait that the receiver asked for is slept through; when nothing waits, the bell wakes.
      if isWaiting {
        Sleep.seconds(pause, cancellation: cancellation)
      } else if pause > 0 {
        _ = doorbell.wait(milliseconds: Int(pause * 1000))
      }
    }
  }
}

extension LogKeeper {
  /// A copy of the store a day, and after each purge or erasure, which take the one before away. PostgreSQL has its own backups.
  private func backUp() {
    do throws(StorageError) {
      try (log.database as? SQLiteDatabase)?.backUp(olderThan: 86_400)
    } catch {
      problem(error.description)
    }
  }
}

/// A client whose request under way ends when the keeper is stopped: a hanging receiver must not delay a worker's end.
private struct StoppableClient: ReportTransport {
  let client: HTTPClient
  let cancellation: Cancellation

  func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse { try client.send(request, cancellation: cancellation) }
}

extension MetadataLog {
  /// `summarizeDay`, at most once a day over all processes.
  func summarizeOnce() throws {
    let day = String(now().quotientFloor(86_400_000_000))
    let isNew = try database.write { transaction in
      guard try transaction.state("summarized") != day else { return false }
      try keys.setState("summarized", day, in: transaction)
      return true
    }
    if isNew { try summarizeDay() }
  }
}
