/// Where a job stands. The raw values are stored and never change.
public enum JobState: Int64, Sendable, Hashable, CaseIterable, Codable {
  /// Waits for a free slot.
  case available = 0
  /// Waits for its time or for other jobs.
  case scheduled = 1
  /// A worker runs it.
  case running = 2
  /// Set aside until it is resumed.
  case paused = 3
  /// Failed and waits for its next attempt.
  case retryable = 4
  /// Finished; its outputs are published.
  case done = 5
  /// Given up: attempts used up, refused, or quarantined.
  case failed = 6
  /// Cancelled by request, or because a job it waited for did not succeed.
  case cancelled = 7

  /// Whether it stays so unless it is retried by hand.
  public var isFinal: Bool { rawValue >= JobState.done.rawValue }

  /// The word that stands in JSON and on the command line.
  public var name: String {
    switch self {
    case .available: "available"
    case .scheduled: "scheduled"
    case .running: "running"
    case .paused: "paused"
    case .retryable: "retryable"
    case .done: "done"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }

  public init?(name: String) {
    guard let state = JobState.allCases.first(where: { $0.name == name }) else { return nil }
    self = state
  }
}
