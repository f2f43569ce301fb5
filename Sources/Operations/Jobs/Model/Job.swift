/// A job as its store knows it at a moment.
public struct Job: Hashable, Sendable {
  public let id: JobID
  public var spec: JobSpec
  public var state: JobState
  /// Attempts begun, not counting those that were released or whose worker died.
  public var attempt: Int
  /// How often its worker died while running it.
  public var crashCount: Int
  /// Microseconds since 1970.
  public var createdAt: Int64
  public var startedAt: Int64?
  public var finishedAt: Int64?
  /// When it becomes available, while scheduled or retryable.
  public var dueAt: Int64
  /// Unfinished jobs that it waits for.
  public var waitingFor: Int
  /// The part done, 0...1; nil while unknown.
  public var progress: Double?
  public var etaSeconds: Double?
  /// What it is doing: `"encode"`.
  public var stage: String?
  /// What the last attempt saved for the next.
  public var checkpoint: [UInt8]?
  /// What the handler answered.
  public var result: [UInt8]?
  public var failure: JobFailure?
  /// A pause or cancel that its worker has not obeyed yet.
  public var request: JobRequest
}

/// What a running job has been asked. The raw values are stored.
public enum JobRequest: Int64, Sendable, Hashable {
  case none = 0
  case pause = 1
  case cancel = 2
}

/// The right to write to a job: which worker runs it, and the number of this claim. Every write by the worker is guarded
/// by both, so that one that was taken over changes nothing any more (a fencing token).
public struct JobClaim: Hashable, Sendable {
  public let job: JobID
  public let worker: Int64
  public let token: Int64
}
