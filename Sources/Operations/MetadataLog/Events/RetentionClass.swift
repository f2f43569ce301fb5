/// How long an event is kept.
public enum RetentionClass: String, CaseIterable, Sendable, Codable {
  /// What happened while a job ran. Default: gone within 24 hours.
  case execution
  /// What was done: submitted, finished, published. Default 30 days; a product sets it by tier.
  case history
  /// Verdicts of moderation. Default 180 days; usually also under a legal hold.
  case moderation
  /// Licences, consent, creators, erasures: the account's own trail. Default 3 years.
  case account

  /// The width in microseconds of the span of time whose payloads share one key.
  ///
  /// A span goes as a whole, when its first microsecond has reached the retention time. Execution logs are grouped by
  /// the hour, so that they are kept 23 to 24 hours and their key is destroyed in time; everything else by the day.
  var bucketMicroseconds: Int64 { self == .execution ? 3_600_000_000 : 86_400_000_000 }
}

/// How long each class is kept. Every default stated; days have 24 hours.
public struct Retention: Sendable {
  /// Default 24 hours.
  public var executionSeconds: Int64 = 86_400
  /// Default 30 days.
  public var historySeconds: Int64 = 30 * 86_400
  /// Default 180 days.
  public var moderationSeconds: Int64 = 180 * 86_400
  /// Default 1096 days.
  public var accountSeconds: Int64 = 1096 * 86_400

  public init() {}

  /// The time in seconds for which `retention` is kept.
  public func seconds(_ retention: RetentionClass) -> Int64 {
    switch retention {
    case .execution: executionSeconds
    case .history: historySeconds
    case .moderation: moderationSeconds
    case .account: accountSeconds
    }
  }
}
