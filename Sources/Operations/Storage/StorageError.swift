/// What failed in a database, where, why, and what to do about it.
public struct StorageError: Error, Sendable {
  /// What kind of failure this is; decides the exit status.
  public struct Code: Hashable, Sendable {
    private enum Kind: String {
      case busy, full, corrupt, cannotOpen, denied, constraint, newerSchema, olderSchema, connectionLost, conflict, io, misuse, interrupted
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// Another process holds the write lock for longer than the busy time-out (75).
    public static let busy = Code(.busy)
    /// The disk or the quota is full; nothing of the transaction was kept (74).
    public static let full = Code(.full)
    /// The file is not a database or its pages are damaged (74).
    public static let corrupt = Code(.corrupt)
    /// The file or server cannot be opened or reached as configured (78).
    public static let cannotOpen = Code(.cannotOpen)
    /// No permission (77).
    public static let denied = Code(.denied)
    /// A unique, foreign-key, check or not-null constraint refused the change (70).
    public static let constraint = Code(.constraint)
    /// The database was written by a newer Reelwright (78).
    public static let newerSchema = Code(.newerSchema)
    /// The database was written by an older Reelwright, and whoever only reads does not update it (78).
    public static let olderSchema = Code(.olderSchema)
    /// The connection to the server broke; whether a commit under way took effect is unknown (75).
    public static let connectionLost = Code(.connectionLost)
    /// Two transactions could not be put in an order; nothing was kept, the same call may succeed now (75).
    public static let conflict = Code(.conflict)
    /// Reading or writing failed (74).
    public static let io = Code(.io)
    /// The statement is wrong: a defect of the caller (70).
    public static let misuse = Code(.misuse)
    /// The statement was interrupted or timed out (75).
    public static let interrupted = Code(.interrupted)

    /// The process exit status that stands for this code (BSD sysexits; CLI contract).
    public var exitStatus: Int32 {
      switch kind {
      case .busy, .connectionLost, .conflict, .interrupted: 75
      case .full, .corrupt, .io: 74
      case .cannotOpen, .newerSchema, .olderSchema: 78
      case .denied: 77
      case .constraint, .misuse: 70
      }
    }

    /// A stable name for scripts: `"busy"`, `"corrupt"` …
    public var name: String { kind.rawValue }
  }

  public var code: Code
  /// What was being done: `"cannot open the job store"`.
  public var operation: String
  /// The database file, or the server without its password.
  public var path: String?
  /// Why it failed, in the words of the database where it has some.
  public var reason: String
  /// What the user can do; printed in parentheses.
  public var advice: String?

  public init(_ code: Code, _ operation: String, path: String? = nil, reason: String, advice: String? = nil) {
    self.code = code
    self.operation = operation
    self.path = path
    self.reason = reason
    self.advice = advice
  }

  /// Whether the same call may succeed later without any change.
  public var isRetriable: Bool { code.exitStatus == 75 }

  /// The process exit status that stands for this error.
  public var exitStatus: Int32 { code.exitStatus }
}

extension StorageError: CustomStringConvertible {
  /// `operation path: reason (advice)`, one line.
  public var description: String {
    let text = operation + (path.map { " \($0)" } ?? "") + ": " + reason + (advice.map { " (\($0))" } ?? "")
    return String(text.map { $0.isNewline ? " " : $0 })
  }
}
