internal import CSystem
import Glibc
public import MediaCore

/// Turns the end of a worker that gave no answer into an error with a name.
struct WorkerDeath {
  /// What was being done: `"cannot probe clip.mp4"`.
  var operation: String
  /// The input opened last, when there was one.
  var path: String?
  var limits: Limits
  var exit: WorkerExit
  /// The end of the worker's error output.
  var errorOutput: String

  var error: MediaError {
    var error = bareError
    error.path = path
    if exit.endedWithTemplate {
      // Nothing that the task has done: it counts as no crash of its job.
      error.details = errorLines
      return error
    }
    error.details = ["\(MediaError.workerDeathMark) \(cause)"] + errorLines
    return error
  }

  /// `"SIGSEGV"`, `"exit status 3"`.
  var cause: String {
    if exit.signal != 0 { return Self.signalName(exit.signal) }
    guard let status = exit.status else { return "unknown end" }
    return "exit status \(status)"
  }

  private var bareError: MediaError {
    if exit.endedWithTemplate {
      let how = exit.signal == 0 ? "" : " (\(Self.signalName(exit.signal)))"
      return MediaError(
        .retryLater, operation, reason: "the warm process that the worker was forked from has ended\(how), and all its workers with it",
        advice: "try again; when nobody killed it, the machine was out of memory: use fewer workers")
    }
    if ranOutOfMemory {
      return MediaError(
        .refused, operation, reason: "the worker process ran out of memory, limit memory=\(limits.memoryMebibytes) MiB",
        advice: "raise it with --limit memory=MIB if you trust this file")
    }
    switch exit.signal {
    case SIGXCPU:
      return MediaError(.refused, operation, reason: "the worker process used up its processor time")
    case SIGSYS:
      return MediaError(
        .damaged, operation, reason: "the worker process was killed because it made a forbidden system call",
        advice: "do not trust this file")
    case SIGKILL, SIGTERM, SIGHUP, SIGINT:
      return MediaError(
        .retryLater, operation, reason: "the worker process was killed from outside (\(cause))",
        advice: "when nobody did, the machine was out of memory: use fewer workers")
    case 0 where exit.status == WorkerExit.noThread:
      return MediaError(
        .retryLater, operation, reason: "the worker process cannot start its thread: \(String(cString: strerror(EAGAIN)))",
        advice: NativeThread.limitAdvice)
    case 0 where exit.status == WorkerExit.noMemoryForThread:
      return MediaError(
        .refused, operation, reason: "the worker process cannot start its thread within limit memory=\(limits.memoryMebibytes) MiB",
        advice: "raise it with --limit memory=MIB")
    case 0:
      return MediaError(.bug, operation, reason: "the worker process ended without an answer (\(cause))", advice: "report this")
    default:
      return MediaError(
        .damaged, operation, reason: "the worker process crashed (\(cause))",
        advice: "the file is damaged, or hits a bug of a codec library")
    }
  }

  private var ranOutOfMemory: Bool {
    guard [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP].contains(exit.signal) else { return false }
    // The handler's own probe, and what the runtimes say before they abort.
    if let note = deathNote, note.hasSuffix(" 1") { return true }
    return ["std::bad_alloc", "allocate", "out of memory", "Out of memory"].contains { errorOutput.contains($0) }
  }

  private var lines: [Substring] { errorOutput.split(whereSeparator: \.isNewline) }

  private var deathNote: Substring? { lines.last { $0.hasPrefix(RW_DEATH_NOTE) } }

  private var errorLines: [String] {
    lines.filter { !$0.hasPrefix(RW_DEATH_NOTE) }.suffix(20).map { String($0.prefix(500)) }
  }

  static func signalName(_ signal: Int32) -> String {
    let names: [Int32: String] = [
      SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL", SIGINT: "SIGINT",
      SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU",
    ]
    return names[signal] ?? "signal \(signal)"
  }
}

extension MediaError {
  static let workerDeathMark = "worker process died:"

  /// How the worker process died (`"SIGSEGV"`, `"SIGKILL"`, `"exit status 1"`), when this error comes from its
  /// death. A job that does this again and again deserves quarantine rather than another attempt.
  public var workerDeath: String? {
    guard let first = details.first, first.hasPrefix(Self.workerDeathMark) else { return nil }
    return String(first.dropFirst(Self.workerDeathMark.count + 1))
  }
}
