import MediaCore
import MetadataLog
import Storage
import Transfer

/// What failed about a job, why, and what to do about it.
public struct JobsError: Error, Sendable {
  /// What kind of failure this is; decides the exit status and whether a job is tried again.
  public struct Code: Hashable, Sendable {
    private enum Kind: String {
      case invalidSpec, unknownJob, unknownKind, wrongState, fenced, outputExists, io, timeout, crashed, quarantined, dependency, stopped,
        failed, retryLater
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The specification is malformed (64).
    public static let invalidSpec = Code(.invalidSpec)
    /// There is no job of that id (66).
    public static let unknownJob = Code(.unknownJob)
    /// No handler is registered for the kind (69).
    public static let unknownKind = Code(.unknownKind)
    /// The job's state does not allow it: resuming a job that runs (64).
    public static let wrongState = Code(.wrongState)
    /// The job has been taken over by another worker; nothing was written (75).
    public static let fenced = Code(.fenced)
    /// An output exists and is not this job's own (73).
    public static let outputExists = Code(.outputExists)
    /// Reading or writing a file failed (74); tried again.
    public static let io = Code(.io)
    /// It ran longer than its time-out (75); tried again.
    public static let timeout = Code(.timeout)
    /// The process that ran it died (70); counted apart from attempts.
    public static let crashed = Code(.crashed)
    /// It killed its worker as often as its crash limit says (70).
    public static let quarantined = Code(.quarantined)
    /// A job that it waits for failed or was cancelled (65).
    public static let dependency = Code(.dependency)
    /// It was told to stop: paused, cancelled or released (130).
    public static let stopped = Code(.stopped)
    /// The handler refused it for good (65).
    public static let failed = Code(.failed)
    /// The handler asks for another try (75).
    public static let retryLater = Code(.retryLater)

    /// The process exit status that stands for this code (BSD sysexits; CLI contract).
    public var exitStatus: Int32 {
      switch kind {
      case .invalidSpec, .wrongState: 64
      case .dependency, .failed: 65
      case .unknownJob: 66
      case .unknownKind: 69
      case .crashed, .quarantined: 70
      case .outputExists: 73
      case .io: 74
      case .fenced, .timeout, .retryLater: 75
      case .stopped: 130
      }
    }

    /// A stable name for scripts: `"quarantined"`, `"timeout"` …
    public var name: String { kind.rawValue }
  }

  public var code: Code
  /// What was being done: `"cannot submit a job"`.
  public var operation: String
  /// Why it failed.
  public var reason: String
  /// What the user can do; printed in parentheses.
  public var advice: String?

  public init(_ code: Code, _ operation: String, reason: String, advice: String? = nil) {
    self.code = code
    self.operation = operation
    self.reason = reason
    self.advice = advice
  }

  public var isRetriable: Bool { code == .timeout || code == .io || code == .retryLater || code == .fenced }

  /// The process exit status that stands for this error.
  public var exitStatus: Int32 { code.exitStatus }
}

extension JobsError: CustomStringConvertible {
  /// `operation: reason (advice)`, one line.
  public var description: String {
    let text = "\(operation): \(reason)" + (advice.map { " (\($0))" } ?? "")
    return String(text.map { $0.isNewline ? " " : $0 })
  }
}

/// A handler's error in the form a job keeps.
public struct JobFailure: Hashable, Sendable, Codable {
  /// A stable name: of `JobsError.Code`, `MediaError.Code` or `StorageError.Code`; `"error"` for others.
  public var code: String
  /// The message; stays on this machine.
  public var message: String
  /// Whether another attempt may succeed.
  public var isRetriable: Bool
  /// The exit status that stands for it.
  public var exitStatus: Int32

  public init(code: String, message: String, isRetriable: Bool, exitStatus: Int32) {
    self.code = code
    self.message = message
    self.isRetriable = isRetriable
    self.exitStatus = exitStatus
  }

  /// Retriable are I/O errors and everything that says so of itself; an error of unknown type is too.
  public init(_ error: any Error) {
    switch error {
    case let error as JobsError:
      self.init(code: error.code.name, message: "\(error)", isRetriable: error.isRetriable, exitStatus: error.exitStatus)
    case let error as MediaError:
      self.init(
        code: error.code.name, message: "\(error)", isRetriable: error.isRetriable || error.code == .io, exitStatus: error.code.exitStatus)
    case let error as TransferError:
      self.init(code: error.code.name, message: "\(error)", isRetriable: error.isRetriable, exitStatus: error.exitStatus)
    case let error as MetadataLogError:
      self.init(
        code: error.code.name, message: "\(error)", isRetriable: error.isRetriable || error.code == .io, exitStatus: error.exitStatus)
    case let error as StorageError:
      self.init(
        code: error.code.name, message: "\(error)", isRetriable: error.isRetriable || error.code == .full, exitStatus: error.exitStatus)
    default:
      self.init(code: "error", message: "\(error)", isRetriable: true, exitStatus: 70)
    }
  }
}
