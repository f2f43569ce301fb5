import Storage

extension JobStore {
  /// The columns that `job(from:)` reads, in its order.
  static let columns = """
    id, kind, payload, name, project, inputs, outputs, labels, overwrite, class, priority, unique_key, not_before, timeout, \
    retry_attempts, retry_base, retry_cap, crash_limit, state, request, due_at, waiting, attempt, crash_count, created_at, \
    started_at, finished_at, progress, eta, stage, checkpoint, result, error_code, error, error_retriable, error_status, token
    """

  static func job(from row: Row) -> Job {
    var spec = JobSpec(kind: row.text(1) ?? "", payload: row.blob(2) ?? [])
    spec.name = row.text(3)
    spec.project = row.text(4) ?? "default"
    spec.inputs = JobSpec.dictionary(column: row.text(5) ?? "")
    spec.outputs = JobSpec.dictionary(column: row.text(6) ?? "")
    spec.labels = JobSpec.dictionary(column: row.text(7) ?? "")
    spec.overwrite = row.boolean(8)
    spec.slotClass = row.text(9) ?? "cpu"
    spec.priority = Int(row.integer(10) ?? 0)
    spec.uniqueKey = row.text(11)
    spec.notBefore = row.integer(12)
    spec.timeoutSeconds = row.real(13) ?? 0
    spec.retry = RetryPolicy(attempts: Int(row.integer(14) ?? 1), baseSeconds: row.real(15) ?? 0, capSeconds: row.real(16) ?? 0)
    spec.crashLimit = Int(row.integer(17) ?? 1)
    return Job(
      id: JobID(row.integer(0) ?? 0), spec: spec, state: JobState(rawValue: row.integer(18) ?? 0) ?? .failed,
      attempt: Int(row.integer(22) ?? 0), crashCount: Int(row.integer(23) ?? 0), createdAt: row.integer(24) ?? 0,
      startedAt: row.integer(25), finishedAt: row.integer(26), dueAt: row.integer(20) ?? 0, waitingFor: Int(row.integer(21) ?? 0),
      progress: row.real(27), etaSeconds: row.real(28), stage: row.text(29), checkpoint: row.blob(30), result: row.blob(31),
      failure: row.text(32).map {
        JobFailure(code: $0, message: row.text(33) ?? "", isRetriable: row.boolean(34), exitStatus: Int32(row.integer(35) ?? 70))
      }, request: JobRequest(rawValue: row.integer(19) ?? 0) ?? .none)
  }

  /// The columns that `record` reads from a RETURNING list.
  static let brief = "id, kind, project, name, attempt, crash_count, error_code, started_at, state"

  /// Records the change for each row of `brief` columns.
  func record(_ rows: [Row], from: JobState?, in transaction: any Transaction) throws {
    guard let recorder else { return }
    for row in rows {
      try recorder.record(
        JobTransition(
          job: JobID(row.integer(0) ?? 0), kind: row.text(1) ?? "", project: row.text(2) ?? "", name: row.text(3), from: from,
          to: JobState(rawValue: row.integer(8) ?? 0) ?? .failed, attempt: Int(row.integer(4) ?? 0),
          crashCount: Int(row.integer(5) ?? 0), at: clock.now(), failureCode: row.text(6), startedAt: row.integer(7)),
        in: transaction)
    }
  }
}
