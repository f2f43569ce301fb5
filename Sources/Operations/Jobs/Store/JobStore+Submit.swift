public import Storage

extension JobStore {
  /// What became of a submission.
  public struct Submission: Hashable, Sendable {
    public let id: JobID
    /// False when an unfinished job with the same unique key was there; `id` is that one.
    public let isNew: Bool
  }

  /// Adds jobs, all or none. When this returns they survive a power failure.
  /// - Throws: `invalidSpec`, `unknownJob` for a dependency that does not exist.
  @discardableResult
  public func submit(_ specs: [JobSpec]) throws -> [Submission] {
    for spec in specs { try spec.validate() }
    return try database.write { try self.submit(specs, in: $0) }
  }

  /// Adds one job. See `submit(_:)`.
  @discardableResult
  public func submit(_ spec: JobSpec) throws -> Submission { try submit([spec])[0] }

  /// Adds jobs within a transaction of the caller's, together with whatever else it writes.
  @discardableResult
  public func submit(_ specs: [JobSpec], in transaction: any Transaction) throws -> [Submission] {
    var result: [Submission] = []
    result.reserveCapacity(specs.count)
    for spec in specs {
      try spec.validate()
      result.append(try submitOne(spec, in: transaction))
    }
    if result.contains(where: \.isNew) { try transaction.ring(JobStore.bell) }
    return result
  }

  package static let insertStatement = """
    INSERT INTO job(kind, payload, name, project, inputs, outputs, labels, overwrite, class, priority, unique_key, not_before, \
    timeout, retry_attempts, retry_base, retry_cap, crash_limit, state, due_at, waiting, created_at, error_code) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
    ON CONFLICT(unique_key) WHERE unique_key IS NOT NULL AND state < 5 DO NOTHING RETURNING \(brief)
    """

  private func submitOne(_ spec: JobSpec, in transaction: any Transaction) throws -> Submission {
    let now = clock.now()
    let due = spec.notBefore ?? now
    var waiting = 0
    var isHopeless = false
    for dependency in Set(spec.after) {
      // Locked, so that it cannot finish between this look and the commit.
      let lock = transaction.dialect == .postgresql ? " FOR SHARE" : ""
      guard let state = try transaction.integer("SELECT state FROM job WHERE id = $1\(lock)", [.integer(dependency.rawValue)]) else {
        throw JobsError(.unknownJob, "cannot submit a job", reason: "it waits for job \(dependency), which does not exist")
      }
      switch JobState(rawValue: state) {
      case .done: break
      case .failed, .cancelled:
        isHopeless = true
        // Counted like one that fails later: whoever is tried again waits until this is, too.
        waiting += 1
      default: waiting += 1
      }
    }
    let state: JobState = isHopeless ? .cancelled : waiting > 0 || due > now ? .scheduled : .available
    let rows = try transaction.query(
      JobStore.insertStatement,
      [
        .text(spec.kind), .blob(spec.payload), .text(spec.name), .text(spec.project), .text(JobSpec.column(spec.inputs)),
        .text(JobSpec.column(spec.outputs)), .text(JobSpec.column(spec.labels)), .boolean(spec.overwrite), .text(spec.slotClass),
        .integer(spec.priority), .text(spec.uniqueKey), .integer(spec.notBefore), .real(spec.timeoutSeconds),
        .integer(spec.retry.attempts), .real(spec.retry.baseSeconds), .real(spec.retry.capSeconds), .integer(spec.crashLimit),
        .integer(state.rawValue), .integer(due), .integer(waiting), .integer(now),
        .text(isHopeless ? JobsError.Code.dependency.name : nil),
      ])
    guard let row = rows.first, let id = row.integer(0) else {
      let existing = try transaction.integer("SELECT id FROM job WHERE unique_key = $1 AND state < 5", [.text(spec.uniqueKey)])
      // It can have finished since: then the key is free, and the caller tries again.
      guard let existing else { throw StorageError(.conflict, "cannot submit a job", reason: "its unique key was just released") }
      return Submission(id: JobID(existing), isNew: false)
    }
    for dependency in Set(spec.after) {
      try transaction.execute("INSERT INTO job_dependency(job, requires) VALUES ($1, $2)", [.integer(id), .integer(dependency.rawValue)])
    }
    try record(rows, from: nil, in: transaction)
    return Submission(id: JobID(id), isNew: true)
  }
}
