public import FileAccess
public import MediaCore

/// Runs tasks in worker processes, one process a task.
///
/// A worker is a child process that has given up files, network, other processes and most system calls before it sees the
/// task. It gets files by logical name from `files`, through this process. With a template (the default) the first task
/// starts that and later ones start by a fork. Safe to use from any thread; tasks run side by side.
public final class WorkerPool: Sendable {
  public let configuration: WorkerConfiguration
  private let template = Monitor(WorkerTemplate?.none)

  public init(_ configuration: WorkerConfiguration = WorkerConfiguration()) { self.configuration = configuration }

  /// Starts the template now, so that the first task finds it ready. Does nothing when there is one.
  public func warmUp() throws(MediaError) {
    guard configuration.usesTemplate else { return }
    _ = try usableTemplate()
  }

  /// Runs one task and waits for its end, however long that takes; blocking, so not for a thread of the cooperative pool.
  ///
  /// - Parameters:
  ///   - kind: which handler of the worker runs.
  ///   - payload: what that handler is given; at most 64 MiB less a few hundred bytes.
  ///   - files: opens what the task asks for; called on this thread.
  ///   - limits: `memory`, `wall` and `outputBytes` are enforced on the process, all are handed to the task. Default: `Limits()`.
  ///   - threads: how many the task may use for its codecs; handed to it. Default 2.
  ///   - keepsStatistics: gives encoders memory for the statistics of two passes, which no limit but `outputBytes` bounds. Default no.
  ///   - cancellation: looked at every 50 ms; a worker that does not end within the grace time is killed.
  ///   - progress: called on this thread.
  /// - Throws: what the task threw; `refused` when a limit ended it; `damaged` when the worker crashed;
  ///   `cancelled`; `retryLater` when it was killed from outside; `configuration` when there is no worker program.
  public func run(
    kind: String, payload: [UInt8], files: any Files, limits: Limits = Limits(), threads: Int = 2, keepsStatistics: Bool = false,
    cancellation: Cancellation = Cancellation(), progress: (Progress) -> Void = { _ in }
  ) throws(MediaError) -> WorkerResult {
    try cancellation.check("cannot \(kind)")
    var configure = ConfigureMessage()
    configure.landlockABILimit = Int64(configuration.landlockABILimit ?? -1)
    configure.addressSpaceBytes = clampedBytes(mebibytes: limits.memoryMebibytes)
    configure.cpuSeconds = max(configuration.cpuSeconds, 0)
    configure.fileBytes = max(limits.outputBytes, 0)
    configure.openFiles = max(configuration.openFiles, 16)
    configure.keepsStatistics = keepsStatistics
    let start = StartMessage(kind: kind, limits: limits, threads: Int64(threads), payload: payload).body
    guard start.count <= FrameKind.start.maximumByteCount else {
      throw MediaError(
        .usage, "cannot \(kind)", reason: "a task of \(payload.count) bytes; at most \(FrameKind.start.maximumByteCount) are allowed",
        advice: "split it")
    }
    let process = try startWorker()
    let session = WorkerSession(
      process: process, kind: kind, files: files, limits: limits, cancellation: cancellation,
      cancelGraceSeconds: configuration.cancelGraceSeconds)
    return try session.run(opening: [Frame.encoded(.configure, configure.body), Frame.encoded(.start, start)], progress: progress)
  }

  private func startWorker() throws(MediaError) -> WorkerProcess {
    if configuration.usesTemplate {
      // A template that has died (somebody killed it) is replaced once; a worker without one is the last resort.
      for _ in 0..<2 {
        if let process = try usableTemplate().fork() { return process }
      }
    }
    return try WorkerProcess.start(configuration)
  }

  private func usableTemplate() throws(MediaError) -> WorkerTemplate {
    try template.update { current throws(MediaError) -> WorkerTemplate in
      if let current, current.isUsable { return current }
      let fresh = try WorkerTemplate(configuration)
      current = fresh
      return fresh
    }
  }

  private func clampedBytes(mebibytes: Int64) -> Int64 {
    let (bytes, overflow) = max(mebibytes, 0).multipliedReportingOverflow(by: 1 << 20)
    return overflow ? 0 : bytes
  }
}
