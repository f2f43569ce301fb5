internal import CSystem
import FileAccess
import Glibc
import MediaCore

/// A started process that speaks the worker protocol: its socket, its error output, and its life and death.
///
/// Used by one thread at a time. Letting it go kills the process and reaps it.
final class WorkerProcess: @unchecked Sendable {
  let processID: pid_t
  let socket: Descriptor
  let errorOutput: Descriptor
  /// The template that forked it and that alone can reap it; nil for a process that this one started itself.
  private let template: WorkerTemplate?
  private var ended: WorkerExit?

  init(processID: pid_t, socket: Descriptor, errorOutput: Descriptor, template: WorkerTemplate?) {
    self.processID = processID
    self.socket = socket
    self.errorOutput = errorOutput
    self.template = template
  }

  deinit { _ = end() }

  /// Starts the worker program. The caller sends the `configure` frame.
  static func start(_ configuration: WorkerConfiguration) throws(MediaError) -> WorkerProcess {
    let program = try WorkerExecutable.locate(configuration)
    let channel = try WorkerChannelPair()
    let command = configuration.launcher + [program] + configuration.arguments
    let environment = environment(configuration)
    let (result, processID) = try PermanentThread.spawner.perform { () -> (Int32, pid_t) in
      var processID: pid_t = 0
      let result = withCStrings(command) { arguments in
        withCStrings(environment) { variables in
          rw_spawn(
            command[0], arguments, variables, channel.workerSocket.rawValue, channel.workerErrorOutput.rawValue, &processID)
        }
      }
      return (result, processID)
    }
    guard result == 0 else {
      let advice: String? =
        switch -result {
        case EAGAIN: NativeThread.limitAdvice
        case EMFILE, ENFILE: MediaError.openFilesAdvice
        case ENOMEM: "raise the limit on memory (ulimit -v, MemoryMax= of the service)"
        default: nil
        }
      throw MediaError(
        advice == nil ? .configuration : .retryLater, "cannot start \(command[0])", path: command[0],
        reason: String(cString: strerror(-result)), advice: advice)
    }
    return WorkerProcess(processID: processID, socket: channel.socket, errorOutput: channel.errorOutput, template: nil)
  }

  /// How it ended, when it has.
  func poll() -> WorkerExit? { reap(wait: false) }

  /// Kills it, with everything in its process group, and reaps it.
  func end() -> WorkerExit {
    if let ended { return ended }
    rw_kill_group(processID)
    return reap(wait: true) ?? .unknown
  }

  /// Waits for it to end by itself, then kills it.
  func end(afterMilliseconds grace: Int) -> WorkerExit {
    let deadline = rw_monotonic_nanoseconds() + Int64(grace) * 1_000_000
    var pause: UInt32 = 100
    while rw_monotonic_nanoseconds() < deadline {
      if let ended = poll() { return ended }
      usleep(pause)
      pause = min(pause * 2, 10_000)
    }
    return end()
  }

  private func reap(wait: Bool) -> WorkerExit? {
    if let ended { return ended }
    if let template {
      ended = template.reap(processID, wait: wait)
    } else {
      var report = rw_exit_t()
      if rw_reap(processID, wait ? 1 : 0, &report) != 0 {
        ended = .unknown  // SIGCHLD is ignored in this program, or somebody else waits for every child.
      } else if report.running == 0 {
        ended = WorkerExit(report)
      }
    }
    return ended
  }

  /// What the loader, the Swift runtime and the sanitizers need, and nothing else of ours.
  private static func environment(_ configuration: WorkerConfiguration) -> [String] {
    // No backtracer: it would fork. C locale and UTC: no file has to be read for them.
    var variables = ["SWIFT_BACKTRACE": "enable=no", "LC_ALL": "C", "TZ": "UTC0"]
    for name in ["LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS"] {
      if let value = WorkerExecutable.environmentVariable(name) { variables[name] = value }
    }
    variables.merge(configuration.environment) { $1 }
    return variables.map { "\($0.key)=\($0.value)" }
  }
}

/// The two connections of a worker, with the ends of both sides. The worker's ends close when this goes away.
struct WorkerChannelPair: Sendable {
  let socket: Descriptor
  let errorOutput: Descriptor
  let workerSocket: Descriptor
  let workerErrorOutput: Descriptor

  init() throws(MediaError) {
    var ends: [Int32] = [-1, -1]
    var result = rw_socket_pair(&ends)
    guard result == 0 else { throw systemError("cannot start a worker process", result, code: .retryLater) }
    socket = Descriptor(owning: ends[0])
    workerSocket = Descriptor(owning: ends[1])
    result = rw_set_nonblocking(ends[0])
    guard result == 0 else { throw systemError("cannot start a worker process", result, code: .retryLater) }
    result = rw_pipe(&ends)
    guard result == 0 else { throw systemError("cannot start a worker process", result, code: .retryLater) }
    errorOutput = Descriptor(owning: ends[0])
    workerErrorOutput = Descriptor(owning: ends[1])
  }
}

/// A NULL-terminated array of C strings, for the time of the call.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  pointers.append(nil)
  return body(pointers)
}
