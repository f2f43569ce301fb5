/// The error of this module.
///
/// Its text may name a sequence number, a project label or a host; never a payload, a key or a path of media.
public struct MetadataLogError: Error, Sendable {
  /// What kind of failure this is; decides the exit status.
  public struct Code: Hashable, Sendable {
    private enum Kind: String { case usage, damaged, missing, exists, io, retryLater, refused, configuration, cancelled }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// An event, a field or an option is malformed (64).
    public static let usage = Code(.usage)
    /// The log, an export or a token was changed (65).
    public static let damaged = Code(.damaged)
    /// There is no such thing (66).
    public static let missing = Code(.missing)
    /// It exists already (73).
    public static let exists = Code(.exists)
    /// Reading or writing failed (74).
    public static let io = Code(.io)
    /// Worth trying again later (75).
    public static let retryLater = Code(.retryLater)
    /// Refused by a hold, a missing consent, an unlisted destination or a licence (77).
    public static let refused = Code(.refused)
    /// A setting is missing or wrong (78).
    public static let configuration = Code(.configuration)
    /// Cancelled by the caller (130).
    public static let cancelled = Code(.cancelled)

    var exitStatus: Int32 {
      switch kind {
      case .usage: 64
      case .damaged: 65
      case .missing: 66
      case .exists: 73
      case .io: 74
      case .retryLater: 75
      case .refused: 77
      case .configuration: 78
      case .cancelled: 130
      }
    }

    /// A stable name for scripts.
    public var name: String { kind.rawValue }
  }

  public var code: Code
  public var operation: String
  public var reason: String
  public var advice: String?

  public init(_ code: Code, _ operation: String, reason: String, advice: String? = nil) {
    self.code = code
    self.operation = operation
    self.reason = reason
    self.advice = advice
  }

  /// Whether the same call may succeed later without any change.
  public var isRetriable: Bool { code == .retryLater }

  /// The process exit status that stands for this error (CLI contract).
  public var exitStatus: Int32 { code.exitStatus }
}

extension MetadataLogError: CustomStringConvertible {
  /// `operation: reason (advice)`, one line.
  public var description: String { "\(operation): \(reason)" + (advice.map { " (\($0))" } ?? "") }
}
