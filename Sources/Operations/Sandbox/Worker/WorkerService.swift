internal import CSystem
import FileAccess
import Glibc
public import MediaCore

/// The whole life of a worker process: what `main` of a worker program calls.
public enum WorkerService {
  /// Does the work of one task, on a thread of its own. Runs in the sealed process: no path can be opened, no process and
  /// no socket made; Dispatch and `Task` do not work there.
  public typealias Handler = @Sendable (WorkerTask) throws(MediaError) -> [UInt8]

  /// The path under which encoders may keep the statistics of two passes in the sealed process: it opens as anonymous memory.
  public static let statisticsPath = RW_STATISTICS_PATH

  /// Serves the orchestrator at descriptor 3 until the task is done, and ends the process.
  ///
  /// The process seals itself before it starts a thread and before it reads the task. A template runs `prepare`,
  /// then forks a worker for each request; a worker that was started by itself runs it too.
  ///
  /// - Parameters:
  ///   - prepare: called once before sealing: the place to load what cannot be loaded later. Must not start threads, nor
  ///     look at anything that comes from a user.
  ///   - handler: does the task.
  public static func run(prepare: () -> Void = {}, handler: @escaping Handler) -> Never {
    var status = stat()
    guard fstat(RW_WORKER_SOCKET, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
      let text = "reel-worker: it is started by reel and by programs that embed Reelwright, not by hand\n"
      _ = text.withCString { write(2, $0, strlen($0)) }
      _exit(64)
    }
    rw_close_from(RW_WORKER_SOCKET + 1)
    rw_learn_processors()
    prepare()
    var input = WorkerInput()
    var configuration = readConfiguration(&input)
    if configuration.isTemplate {
      input = serveAsTemplate(&input)
      configuration = readConfiguration(&input)
      guard !configuration.isTemplate else { _exit(70) }
    }
    let channel = WorkerChannel()
    let isolation = seal(configuration, channel)
    channel.send(.ready, isolation.body)
    serveTask(&input, channel, isolation, handler)
  }

  private static func readConfiguration(_ input: inout WorkerInput) -> ConfigureMessage {
    guard let frame = input.next() else { _exit(0) }
    guard frame.kind == .configure, let message = try? ConfigureMessage(body: frame.body) else { _exit(70) }
    return message
  }

  /// Forks workers until the orchestrator goes away. Returns in each forked process, which finds its own socket.
  private static func serveAsTemplate(_ input: inout WorkerInput) -> WorkerInput {
    guard rw_hold_template() == 0 else { _exit(0) }
    let channel = WorkerChannel()
    while let frame = input.next() {
      switch frame.kind {
      case .fork:
        guard let socket = input.takeDescriptor(), let errorOutput = input.takeDescriptor() else { _exit(70) }
        let processID = rw_fork()
        if processID == 0 {
          guard rw_adopt_descriptors(socket, errorOutput) == 0 else { _exit(71) }
          return WorkerInput()
        }
        close(socket)
        close(errorOutput)
        var writer = WireWriter()
        writer.write(Int64(processID))
        channel.send(.forked, writer.bytes)
      case .reap:
        var reader = WireReader(frame.body)
        guard let processID = try? reader.readInt64(), let wait = try? reader.readBool(), processID > 1 else { _exit(70) }
        var report = rw_exit_t()
        let result = rw_reap(pid_t(truncatingIfNeeded: processID), wait ? 1 : 0, &report)
        channel.send(.ended, result == 0 ? (report.running == 1 ? [] : WorkerExit(report).body) : WorkerExit.unknown.body)
      default: _exit(70)
      }
    }
    _exit(0)
  }

  private static func seal(_ configuration: ConfigureMessage, _ channel: WorkerChannel) -> IsolationReport {
    var options = rw_seal_options_t()
    options.landlock_abi_limit = Int32(truncatingIfNeeded: configuration.landlockABILimit)
    options.address_space_bytes = configuration.addressSpaceBytes
    options.cpu_seconds = configuration.cpuSeconds
    options.file_bytes = configuration.fileBytes
    options.open_files = configuration.openFiles
    options.keeps_statistics = configuration.keepsStatistics ? 1 : 0
    var report = rw_seal_report_t()
    let result = rw_seal(&options, &report)
    if result != 0 {
      let reason = "the worker process cannot isolate itself: \(String(cString: strerror(-result)))"
      let error = MediaError(
        .unavailable, "cannot start a worker process", reason: reason,
        advice: "--isolation none runs without isolation: only for files that you trust")
      channel.send(.failure, FailureMessage(id: 0, error: error).body)
      _exit(69)
    }
    return IsolationReport(report)
  }

  /// Reads to the end of the connection; the task runs beside on its own thread and ends the process.
  private static func serveTask(
    _ input: inout WorkerInput, _ channel: WorkerChannel, _ isolation: IsolationReport, _ handler: @escaping Handler
  ) -> Never {
    let cancellation = Cancellation()
    var hasStarted = false
    while let frame = input.next() {
      switch frame.kind {
      case .start:
        guard !hasStarted, let message = try? StartMessage(body: frame.body) else { _exit(70) }
        hasStarted = true
        let reporter = ProgressReporter(channel)
        let task = WorkerTask(
          kind: message.kind, payload: message.payload, limits: message.limits, threads: Int(message.threads),
          files: BrokeredFiles(channel),
          cancellation: cancellation, progress: { reporter.report($0) }, log: { channel.send(.log, Array($0.utf8.prefix(60 << 10))) },
          isolation: isolation)
        guard let thread = try? NativeThread({ run(task, channel, handler) }) else {
          _exit(NativeThread.hasRoom() ? WorkerExit.noThread : WorkerExit.noMemoryForThread)
        }
        thread.detach()
      case .cancel: cancellation.cancel()
      case .opened:
        // Missing when the limit on open files was reached: the requester is told.
        let descriptor = input.takeDescriptor()
        guard let message = try? OpenedMessage(body: frame.body, descriptor: descriptor ?? -1) else {
          guard descriptor == nil else { _exit(70) }
          var reader = WireReader(frame.body)
          if let id = try? reader.readUInt32() { channel.deliver(WorkerChannel.Answer(), id: id) }
          continue
        }
        let answer = WorkerChannel.Answer(
          displayName: message.displayName, snapshot: message.snapshot, descriptor: descriptor.map { Descriptor(owning: $0) })
        channel.deliver(answer, id: message.id)
      case .denied:
        guard let message = try? FailureMessage(body: frame.body) else { _exit(70) }
        channel.deliver(WorkerChannel.Answer(error: message.error), id: message.id)
      default: _exit(70)
      }
    }
    _exit(0)
  }

  private static func run(_ task: WorkerTask, _ channel: WorkerChannel, _ handler: Handler) {
    do throws(MediaError) {
      let result = try handler(task)
      guard result.count <= FrameKind.result.maximumByteCount else {
        throw MediaError(
          .refused, "cannot \(task.kind)",
          reason: "a result of \(result.count) bytes; at most \(FrameKind.result.maximumByteCount) are allowed",
          advice: "ask for less at once")
      }
      channel.send(.result, result)
    } catch {
      channel.send(.failure, FailureMessage(id: 0, error: error).body)
    }
    // At once: destructors and exit handlers of the libraries would only take time.
    _exit(0)
  }
}
