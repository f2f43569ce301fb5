public import MetadataLog
public import Storage

/// Writes every change of a job to the metadata log, in the transaction of the change: ids, kinds and counts, the label
/// that the user chose, and nothing else.
public final class JobEvents: JobRecorder {
  private let log: MetadataLog

  public init(log: MetadataLog) { self.log = log }

  public func record(_ transition: JobTransition, in transaction: any Transaction) throws {
    guard let event = event(transition) else { return }
    try log.append(event, in: transaction)
    if transition.to == .done { try recordOutputs(transition, in: transaction) }
  }

  public func isHeld(project: String, in transaction: any Transaction) throws -> Bool {
    try log.isHeld(project: project, in: transaction)
  }

  private func event(_ transition: JobTransition) -> LogEvent? {
    var fields: [EventField: EventValue] = [.job: .text(transition.job.description)]
    let task = EventValue.text(JobEvents.task(transition.kind))
    let code = EventValue.text(JobEvents.code(transition.failureCode))
    let attempts = EventValue.integer(Int64(transition.attempt))
    func event(_ kind: EventKind, named: Bool = false) -> LogEvent {
      if named, let name = transition.name, EventField.label.type.accepts(.text(name)) { fields[.label] = .text(name) }
      return LogEvent(kind, project: transition.project, fields)
    }
    guard let from = transition.from else {
      fields[.task] = task
      return event(.jobSubmitted, named: true)
    }
    switch transition.to {
    case .running:
      fields[.attempt] = attempts
      fields[.task] = task
      return event(.jobStarted)
    case .done:
      fields[.task] = task
      fields[.attempts] = attempts
      if let started = transition.startedAt { fields[.durationMilliseconds] = .integer((transition.at - started) / 1000) }
      return event(.jobFinished, named: true)
    case .failed where transition.failureCode == JobsError.Code.quarantined.name:
      fields[.crashes] = .integer(Int64(transition.crashCount))
      fields[.task] = task
      return event(.jobQuarantined, named: true)
    case .failed:
      fields[.task] = task
      fields[.attempts] = attempts
      fields[.code] = code
      return event(.jobFailed, named: true)
    case .cancelled:
      fields[.task] = task
      return event(.jobCancelled, named: true)
    case .paused: return event(.jobPaused)
    case .retryable:
      fields[.attempt] = attempts
      fields[.code] = code
      return event(.jobRetried)
    case .available, .scheduled:
      if from == .paused { return event(.jobResumed) }
      guard from == .running, transition.failureCode != nil else { return nil }
      fields[.attempt] = attempts
      fields[.code] = code
      return event(.jobRetried)
    }
  }

  private func recordOutputs(_ transition: JobTransition, in transaction: any Transaction) throws {
    let rows = try transaction.query(
      "SELECT sha256, bytes FROM job_output WHERE job = $1 ORDER BY name", [.integer(transition.job.rawValue)])
    for (index, row) in rows.enumerated() {
      let fields: [EventField: EventValue] = [
        .output: .text("\(transition.job)-\(index + 1)"), .digest: .text(row.text(0) ?? ""), .bytes: .integer(row.integer(1) ?? 0),
        .job: .text(transition.job.description),
      ]
      try log.append(LogEvent(.outputPublished, project: transition.project, fields), in: transaction)
    }
  }

  /// An embedder's own kinds are `other`: the log has a closed set of words.
  private static func task(_ kind: String) -> String { EventField.task.type.accepts(.text(kind)) ? kind : "other" }

  private static func code(_ code: String?) -> String {
    guard let code else { return "none" }
    if EventField.code.type.accepts(.text(code)) { return code }
    switch code {
    case "outputExists": return "exists"
    case "invalidSpec": return "usage"
    case "unknownKind": return "unavailable"
    case "busy", "connectionLost", "conflict", "fenced": return "retryLater"
    case "full": return "io"
    default: return "bug"
    }
  }
}
