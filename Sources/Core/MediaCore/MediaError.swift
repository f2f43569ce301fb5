/// The error of every module in `Core/` and `Media/`: what failed, where, why, and what to do about it.
///
/// One type for the media floors, so that typed throws cross module borders without being wrapped. `line` is the
/// one-line form that `reel` prints: `operation: reason (advice)`.
public struct MediaError: Error, Sendable {
  /// What to do when no more files can be open.
  public static let openFilesAdvice = "raise the limit on open files (ulimit -n, LimitNOFILE= of the service)"

  /// What kind of failure this is; decides the exit status.
  public struct Code: Hashable, Sendable {
    private enum Kind: String {
      case usage, damaged, incomplete, missing, unavailable, bug, exists, io, retryLater, refused, configuration, cancelled
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The request itself is wrong: a malformed option, document or row (64).
    public static let usage = Code(.usage)
    /// The input is damaged or is not media (65).
    public static let damaged = Code(.damaged)
    /// The input ended or changed before all of it was read (65).
    public static let incomplete = Code(.incomplete)
    /// The input does not exist or cannot be opened (66).
    public static let missing = Code(.missing)
    /// This machine or this FFmpeg build lacks a codec or feature (69).
    public static let unavailable = Code(.unavailable)
    /// A defect of Reelwright (70).
    public static let bug = Code(.bug)
    /// The output exists or cannot be created (73).
    public static let exists = Code(.exists)
    /// Reading or writing failed: disk full, I/O error (74).
    public static let io = Code(.io)
    /// Worth trying again later (75).
    public static let retryLater = Code(.retryLater)
    /// Refused by a limit, a permission or a licence (77).
    public static let refused = Code(.refused)
    /// The configuration is wrong (78).
    public static let configuration = Code(.configuration)
    /// Cancelled by the caller (130).
    public static let cancelled = Code(.cancelled)

    /// The process exit status that stands for this code (BSD sysexits; CLI contract).
    public var exitStatus: Int32 {
      switch kind {
      case .usage: 64
      case .damaged, .incomplete: 65
      case .missing: 66
      case .unavailable: 69
      case .bug: 70
      case .exists: 73
      case .io: 74
      case .retryLater: 75
      case .refused: 77
      case .configuration: 78
      case .cancelled: 130
      }
    }

    /// A stable name for scripts: `"damaged"`, `"refused"` …
    public var name: String { kind.rawValue }

    /// The code with that `name`, when there is one.
    public init?(name: String) {
      guard let kind = Kind(rawValue: name) else { return nil }
      self.kind = kind
    }
  }

  public var code: Code
  /// What was being done, with the file or stream it was done to: `"cannot read clip.mp4"`.
  public var operation: String
  /// The file concerned, when there is one.
  public var path: String?
  /// Why it failed: what was found, what was expected.
  public var reason: String
  /// What the user can do; printed in parentheses.
  public var advice: String?
  /// Details for `--verbose`: FFmpeg's own log lines, the underlying error.
  public var details: [String]

  public init(
    _ code: Code, _ operation: String, path: String? = nil, reason: String, advice: String? = nil,
    details: [String] = []
  ) {
    self.code = code
    self.operation = operation
    self.path = path
    self.reason = reason
    self.advice = advice
    self.details = details
  }

  /// Whether the same call may succeed later without any change.
  public var isRetriable: Bool { code == .retryLater }
}

extension MediaError: CustomStringConvertible {
  /// `operation: reason (advice)`, one line.
  public var description: String {
    let text = "\(operation): \(reason)" + (advice.map { " (\($0))" } ?? "")
    return String(text.map { $0.isNewline ? " " : $0 })
  }
}

extension MediaError: Codable {
  private enum CodingKeys: String, CodingKey { case code, operation, path, reason, advice, details }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    code = Code(name: try values.decode(String.self, forKey: .code)) ?? .bug
    operation = try values.decode(String.self, forKey: .operation)
    path = try values.decodeIfPresent(String.self, forKey: .path)
    reason = try values.decode(String.self, forKey: .reason)
    advice = try values.decodeIfPresent(String.self, forKey: .advice)
    details = try values.decode([String].self, forKey: .details)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(code.name, forKey: .code)
    try values.encode(operation, forKey: .operation)
    try values.encodeIfPresent(path, forKey: .path)
    try values.encode(reason, forKey: .reason)
    try values.encodeIfPresent(advice, forKey: .advice)
    try values.encode(details, forKey: .details)
  }
}
