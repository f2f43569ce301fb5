package import Storage

extension JobStore {
  package static let completeStatement = """
    UPDATE job SET state = 5, finished_at = $4, result = $5, progress = 1, eta = 0, request = 0, checkpoint = NULL, \
    error_code = NULL, error = NULL WHERE \(ownership) RETURNING \(brief)
    """

  /// Marks a job done. When this returns that survives a power failure. Safe to repeat.
  /// - Parameter also: what else belongs to the completion, in the same transaction.
  package func complete(_ claim: JobClaim, result: [UInt8], also: ((any Transaction) throws -> Void)? = nil) throws {
    try database.write(.powerSafe) { transaction in
      let rows = try transaction.query(
        JobStore.completeStatement, claim.values + [.integer(self.clock.now()), .blob(result)])
      guard !rows.isEmpty else {
        // The answer to an earlier commit may have been lost with the connection.
        if try self.isDone(claim, in: transaction) { return }
        throw JobStore.fenced(claim, "complete")
      }
      try also?(transaction)
      try self.record(rows, from: .running, in: transaction)
      try self.settleDependents(of: claim.job, succeeded: true, in: transaction)
    }
  }

  private func isDone(_ claim: JobClaim, in transaction: any Transaction) throws -> Bool {
    try transaction.integer("SELECT count(*) FROM job WHERE id = $1 AND worker = $2 AND token = $3 AND state = 5", claim.values) == 1
  }

  /// Ends an attempt that failed: another one later while attempts are left and the failure is retriable.
  /// - Returns: the state it has now.
  @discardableResult
  func fail(_ claim: JobClaim, _ failure: JobFailure) throws -> JobState {
    try database.write(.powerSafe) { transaction in
      let sql = "SELECT attempt, retry_attempts, retry_base, retry_cap FROM job WHERE \(JobStore.ownership)"
      guard let row = try transaction.query(sql, claim.values).first else { throw JobStore.fenced(claim, "fail") }
      let attempt = Int(row.integer(0) ?? 0)
      let policy = RetryPolicy(attempts: Int(row.integer(1) ?? 1), baseSeconds: row.real(2) ?? 0, capSeconds: row.real(3) ?? 0)
      let isFinal = !failure.isRetriable || attempt >= policy.attempts
      let now = self.clock.now()
      var generator = SystemRandomNumberGenerator()
      let due = isFinal ? now : now + policy.delayMicroseconds(after: attempt, using: &generator)
      let state: JobState = isFinal ? .failed : .retryable
      try self.end(claim, state, due: due, failure: failure, in: transaction)
      return state
    }
  }

  /// Ends an attempt whose process died: available again at once, or quarantined.
  /// - Returns: the state it has now.
  @discardableResult
  func crash(_ claim: JobClaim, message: String) throws -> JobState {
    try database.write(.powerSafe) { transaction in
      try self.crash(claim, message: message, in: transaction)
    }
  }

  private static let crashStatement = """
    UPDATE job SET crash_count = crash_count + 1, attempt = attempt - 1 WHERE \(ownership) RETURNING crash_count, crash_limit, request
    """

  private func crash(_ claim: JobClaim, message: String, in transaction: any Transaction) throws -> JobState {
    guard let row = try transaction.query(JobStore.crashStatement, claim.values).first else { throw JobStore.fenced(claim, "requeue") }
    let count = row.integer(0) ?? 0
    let now = clock.now()
    // A pause or cancel that the dead worker had not obeyed yet.
    switch JobRequest(rawValue: row.integer(2) ?? 0) {
    case .cancel:
      try end(claim, .cancelled, due: now, failure: nil, in: transaction)
      return .cancelled
    case .pause:
      try end(claim, .paused, due: now, failure: nil, in: transaction)
      return .paused
    default: break
    }
    if count >= row.integer(1) ?? 1 {
      let reason = "its worker died \(count) times while running it; the last time: \(message)"
      let failure = JobFailure(code: JobsError.Code.quarantined.name, message: reason, isRetriable: false, exitStatus: 70)
      try end(claim, .failed, due: now, failure: failure, in: transaction)
      return .failed
    }
    let failure = JobFailure(code: JobsError.Code.crashed.name, message: message, isRetriable: true, exitStatus: 70)
    try end(claim, .available, due: now, failure: failure, in: transaction)
    return .available
  }

  /// Gives a job back unfinished: paused, cancelled, or available for another worker. The attempt does not count.
  func release(_ claim: JobClaim, to state: JobState) throws {
    try database.write(.powerSafe) { transaction in
      try transaction.execute("UPDATE job SET attempt = attempt - 1 WHERE \(JobStore.ownership)", claim.values)
      try self.end(claim, state, due: self.clock.now(), failure: nil, in: transaction)
    }
  }

  private static let endStatement = """
    UPDATE job SET state = $4, due_at = $5, finished_at = $6, request = 0, error_code = $7, error = $8, error_retriable = $9, \
    error_status = $10 WHERE \(ownership) RETURNING \(brief)
    """

  private static func endValues(
    _ claim: JobClaim, _ state: JobState, due: Int64, finished: SQLValue, _ failure: JobFailure?
  ) -> [SQLValue] {
    claim.values + [
      .integer(state.rawValue), .integer(due), finished, .text(failure?.code), .text(failure?.message),
      failure.map { .boolean($0.isRetriable) } ?? .null, .integer(failure.map { Int64($0.exitStatus) }),
    ]
  }

  private func end(_ claim: JobClaim, _ state: JobState, due: Int64, failure: JobFailure?, in transaction: any Transaction) throws {
    let finished: SQLValue = state.isFinal ? .integer(clock.now()) : .null
    let rows = try transaction.query(
      JobStore.endStatement, JobStore.endValues(claim, state, due: due, finished: finished, failure))
    guard !rows.isEmpty else { throw JobStore.fenced(claim, "end") }
    try record(rows, from: .running, in: transaction)
    if state == .failed || state == .cancelled { try settleDependents(of: claim.job, succeeded: false, in: transaction) }
    try transaction.ring(JobStore.bell)
  }

  /// What is known of a worker whose jobs are to be taken.
  enum Absence {
    /// Its session lock must be free, or nothing is taken.
    case unlocked
    /// Its lease has run out, whether it lives or not.
    case silent
    /// Its process has ended, and its session may not have yet: it stays registered, for what that may still bring.
    case dead
  }

  /// Runs the statements of a take-over and a claim on nothing. A server reads its catalogue and plans when a session runs a statement
  /// for the first time: that is not to happen while the jobs of the dead wait.
  func rehearse(kinds: [String]) throws {
    let none = JobClaim(job: JobID(0), worker: 0, token: 0)
    try database.write(.crashSafe) { transaction in
      _ = try transaction.query(JobStore.takenStatement(transaction.dialect), [.integer(0)])
      _ = try transaction.query(JobStore.crashStatement, none.values)
      let failure = JobFailure(code: JobsError.Code.crashed.name, message: "", isRetriable: true, exitStatus: 70)
      _ = try transaction.query(JobStore.endStatement, JobStore.endValues(none, .available, due: 0, finished: .null, failure))
      _ = try transaction.query(
        JobStore.claimStatement(kinds: kinds.count, dialect: transaction.dialect),
        [.integer(0), .integer(0), .text(""), .integer(0)] + kinds.map { SQLValue.text($0) })
    }
  }

  private static func takenStatement(_ dialect: Dialect) -> String {
    // One who recovers, and never one who is completing at the same time. Not waited for: a dead worker's last commit may
    // be waiting for the disk, and a stopped one's for its owner.
    let lock = dialect == .postgresql ? " FOR UPDATE NOWAIT" : ""
    return "SELECT id, token FROM job WHERE worker = $1 AND state = 2\(lock)"
  }

  /// Takes the jobs of a worker that is gone.
  /// - Returns: the jobs that were taken, and where they stand now; nil when the worker lives, or when a transaction of its own
  ///   on one of them has not ended yet: then it is to be tried again.
  func recover(worker: Int64, from absence: Absence) throws -> [(job: JobID, state: JobState)]? {
    do {
      return try take(worker: worker, absence)
    } catch let error as StorageError where error.code == .busy && database.dialect == .postgresql {
      return nil
    }
  }

  private func take(worker: Int64, _ absence: Absence) throws -> [(job: JobID, state: JobState)]? {
    // After a power failure all workers are gone and whoever comes first recovers anew: no need to wait for the disk.
    try database.write(.crashSafe) { transaction in
      if absence == .unlocked, try !transaction.takeLock(worker) { return nil }
      let rows = try transaction.query(JobStore.takenStatement(transaction.dialect), [.integer(worker)])
      var taken: [(job: JobID, state: JobState)] = []
      for row in rows {
        let claim = JobClaim(job: JobID(row.integer(0) ?? 0), worker: worker, token: row.integer(1) ?? 0)
        taken.append((claim.job, try self.crash(claim, message: "its worker process ended", in: transaction)))
      }
      if absence != .dead { try transaction.execute("DELETE FROM job_worker WHERE id = $1", [.integer(worker)]) }
      return taken
    }
  }
}
