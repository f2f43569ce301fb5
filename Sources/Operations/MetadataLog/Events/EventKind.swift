/// The events there are: a closed set. Its raw values are the names in the log, in exports and, behind `reelwright.`
/// and before `.v1`, the CloudEvents types.
public enum EventKind: String, CaseIterable, Sendable {
  case jobSubmitted = "job.submitted"
  case jobStarted = "job.started"
  case jobProgress = "job.progress"
  case jobRetried = "job.retried"
  case jobPaused = "job.paused"
  case jobResumed = "job.resumed"
  case jobFinished = "job.finished"
  case jobFailed = "job.failed"
  case jobCancelled = "job.cancelled"
  case jobQuarantined = "job.quarantined"
  case outputPublished = "output.published"
  case outputRemoved = "output.removed"
  case usageMetered = "usage.metered"
  case analyticsDaily = "analytics.daily"
  case moderationVerdict = "moderation.verdict"
  case creatorEnrolled = "creator.enrolled"
  case creatorWithdrawn = "creator.withdrawn"
  case creatorMarked = "creator.marked"
  case watermarkDetected = "watermark.detected"
  case licenceChanged = "licence.changed"
  case licenceRefused = "licence.refused"
  case consentChanged = "consent.changed"
  case holdChanged = "hold.changed"
  case logPurged = "log.purged"
  case projectErased = "project.erased"

  /// The fields that an event of this kind must and may have.
  public var fields: (required: Set<EventField>, optional: Set<EventField>) {
    switch self {
    case .jobSubmitted: ([.job, .task], [.label, .priority, .schedule])
    case .jobStarted: ([.job, .attempt], [.task, .worker])
    case .jobProgress: ([.job, .permille], [.frames])
    case .jobRetried: ([.job, .attempt, .code], [])
    case .jobPaused, .jobResumed: ([.job], [])
    case .jobFinished: ([.job, .task, .attempts], [.durationMilliseconds, .mediaMilliseconds, .frames, .bytes, .label])
    case .jobFailed: ([.job, .task, .attempts, .code], [.label])
    case .jobCancelled: ([.job], [.task, .label])
    case .jobQuarantined: ([.job, .crashes], [.task, .label])
    case .outputPublished: ([.output, .digest, .bytes], [.job, .watermark])
    case .outputRemoved: ([.output], [.job])
    case .usageMetered: ([.mediaMilliseconds, .frames, .bytes], [.job, .task])
    case .analyticsDaily: ([.jobs, .mediaMilliseconds, .frames], [.bytes])
    case .moderationVerdict: ([.verdict, .category], [.job, .output, .count])
    case .creatorEnrolled, .creatorWithdrawn: ([.creator], [])
    case .creatorMarked: ([.creator, .watermark], [.output, .job])
    case .watermarkDetected: ([.watermark, .confidence], [.log10FalsePositive])
    case .licenceChanged: ([.licence, .code], [.tier])
    case .licenceRefused: ([.code], [.licence, .feature])
    case .consentChanged: ([.purpose, .state], [])
    case .holdChanged: ([.state], [.retention])
    case .logPurged: ([.count, .retention], [])
    case .projectErased: ([.count], [])
    }
  }

  /// How long an event of this kind is kept.
  public var retention: RetentionClass {
    switch self {
    case .jobStarted, .jobProgress, .jobRetried, .jobPaused, .jobResumed: .execution
    case .jobSubmitted, .jobFinished, .jobFailed, .jobCancelled, .jobQuarantined, .outputPublished, .outputRemoved, .usageMetered,
      .analyticsDaily, .watermarkDetected, .logPurged:
      .history
    case .moderationVerdict: .moderation
    case .creatorEnrolled, .creatorWithdrawn, .creatorMarked, .licenceChanged, .licenceRefused, .consentChanged, .holdChanged,
      .projectErased:
      .account
    }
  }

  /// What is dropped first when the spool is full. nil: never leaves this machine.
  var spoolPriority: SpoolPriority? {
    switch self {
    case .jobProgress: .progress
    case .jobStarted, .jobRetried, .jobPaused, .jobResumed: .passing
    case .jobSubmitted, .jobFinished, .jobFailed, .jobCancelled, .jobQuarantined, .outputPublished, .outputRemoved, .usageMetered,
      .analyticsDaily, .watermarkDetected, .licenceChanged:
      .final
    case .moderationVerdict, .creatorEnrolled, .creatorWithdrawn, .creatorMarked, .licenceRefused, .consentChanged, .holdChanged,
      .logPurged,
      .projectErased:
      nil
    }
  }
}

/// The order in which a full spool drops events. `final` ones are never dropped.
enum SpoolPriority: Int64 {
  case progress = 0
  case passing = 1
  case final = 2
}
