internal import MediaCore

/// The error of this module: what was asked of which server, and why it failed.
///
/// No member ever holds a URL's path, query or credentials: a presigned URL is a secret.
public struct TransferError: Error, Sendable {
  /// What kind of failure this is; decides the exit status.
  public struct Code: Hashable, Sendable {
    private enum Kind: String {
      case usage, missing, refused, incomplete, damaged, tooLarge, io, retryLater, cancelled, configuration, rejected
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The URL or the request is malformed (64).
    public static let usage = Code(.usage)
    /// The server has no such thing: 404 or 410 (66).
    public static let missing = Code(.missing)
    /// An address, a redirect, a certificate or a plain connection that is not allowed; also 401 and 403 (77).
    public static let refused = Code(.refused)
    /// The content ended early or changed while it was fetched (65).
    public static let incomplete = Code(.incomplete)
    /// The content is not the one that was named by its hash (65).
    public static let damaged = Code(.damaged)
    /// The content is larger than the limit or the cache's quota (77).
    public static let tooLarge = Code(.tooLarge)
    /// Reading or writing a local file failed (74).
    public static let io = Code(.io)
    /// A time-out, a lost connection, 408, 429 or 5xx (75).
    public static let retryLater = Code(.retryLater)
    /// Cancelled by the caller (130).
    public static let cancelled = Code(.cancelled)
    /// A certificate file or another setting is wrong (78).
    public static let configuration = Code(.configuration)
    /// The server answered with any other error status (69).
    public static let rejected = Code(.rejected)

    /// A stable name for scripts.
    public var name: String { kind.rawValue }

    var exitStatus: Int32 {
      switch kind {
      case .usage: 64
      case .incomplete, .damaged: 65
      case .missing: 66
      case .rejected: 69
      case .io: 74
      case .retryLater: 75
      case .refused, .tooLarge: 77
      case .configuration: 78
      case .cancelled: 130
      }
    }
  }

  public var code: Code
  /// What was being done: `"cannot fetch from media.example"`.
  public var operation: String
  public var reason: String
  public var advice: String?
  /// The HTTP status that the server answered with, when it answered.
  public var status: Int?
  /// How long the server asked to wait, in seconds.
  public var retryAfterSeconds: Double?

  public init(
    _ code: Code, _ operation: String, reason: String, advice: String? = nil, status: Int? = nil, retryAfterSeconds: Double? = nil
  ) {
    self.code = code
    self.operation = operation
    self.reason = reason
    self.advice = advice
    self.status = status
    self.retryAfterSeconds = retryAfterSeconds
  }

  /// Whether the same call may succeed later without any change.
  public var isRetriable: Bool { code == .retryLater }

  /// The process exit status that stands for this error (CLI contract).
  public var exitStatus: Int32 { code.exitStatus }
}

extension TransferError: CustomStringConvertible {
  /// `operation: reason (advice)`, one line.
  public var description: String { "\(operation): \(reason)" + (advice.map { " (\($0))" } ?? "") }
}

extension TransferError {
  /// An error of the media floors, as one of this module.
  init(_ error: MediaError) {
    let code: Code =
      switch error.code {
      case .cancelled: .cancelled
      case .incomplete: .incomplete
      case .refused: .refused
      default: .io
      }
    self.init(code, error.operation, reason: error.reason, advice: error.advice)
  }
}
