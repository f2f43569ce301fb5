import Storage

extension JobStore {
  /// Sets a job aside. One that runs is asked to save a checkpoint and stop; until then it stays `running`.
  /// - Returns: the state it has now.
  /// - Throws: `unknownJob`; `wrongState` when it is finished.
  @discardableResult
  public func pause(_ id: JobID) throws -> JobState { try change(id, "pause", request: .pause, to: .paused) }

  /// Cancels a job. One that runs is asked to stop and killed when it does not.
  /// - Returns: the state it has now.
  /// - Throws: `unknownJob`; `wrongState` when it is finished.
  @discardableResult
  public func cancel(_ id: JobID) throws -> JobState { try change(id, "cancel", request: .cancel, to: .cancelled) }

  /// Puts a paused job back into the queue, or takes back a pause that has not been obeyed yet.
  @discardableResult
  public func resume(_ id: JobID) throws -> JobState {
    try database.write { transaction in
      let now = self.clock.now()
      let rows = try transaction.query(
        """
        UPDATE job SET state = CASE WHEN waiting > 0 OR due_at > $2 THEN 1 ELSE 0 END WHERE id = $1 AND state = 3 RETURNING \(JobStore.brief)
        """, [.integer(id.rawValue), .integer(now)])
      if let row = rows.first {
        try self.record(rows, from: .paused, in: transaction)
        try transaction.ring(JobStore.bell)
        return JobState(rawValue: row.integer(8) ?? 0) ?? .available
      }
      if try transaction.execute("UPDATE job SET request = 0 WHERE id = $1 AND state = 2 AND request = 1", [.integer(id.rawValue)]) == 1 {
        return .running
      }
      throw try self.wrongState(id, "resume", in: transaction)
    }
  }

  /// Puts a failed or cancelled job back into the queue, its attempts and crashes forgotten. Its checkpoint stays.
  @discardableResult
  public func retry(_ id: JobID) throws -> JobState {
    try database.write { transaction in
      let before = try transaction.integer("SELECT state FROM job WHERE id = $1", [.integer(id.rawValue)]).flatMap(JobState.init)
      let rows = try transaction.query(
        """
        UPDATE job SET state = CASE WHEN waiting > 0 THEN 1 ELSE 0 END, attempt = 0, crash_count = 0, finished_at = NULL, \
        due_at = $2, request = 0, error_code = NULL, error = NULL WHERE id = $1 AND state IN (4, 6, 7) RETURNING \(JobStore.brief)
        """, [.integer(id.rawValue), .integer(self.clock.now())])
      guard let row = rows.first else { throw try self.wrongState(id, "retry", in: transaction) }
      try self.record(rows, from: before, in: transaction)
      try transaction.ring(JobStore.bell)
      return JobState(rawValue: row.integer(8) ?? 0) ?? .available
    }
  }

  private func change(_ id: JobID, _ verb: String, request: JobRequest, to state: JobState) throws -> JobState {
    try database.write { transaction in
      let lock = transaction.dialect == .postgresql ? " FOR UPDATE" : ""
      let found = try transaction.integer("SELECT state FROM job WHERE id = $1\(lock)", [.integer(id.rawValue)])
      guard let before = found.flatMap(JobState.init), !before.isFinal else { throw try self.wrongState(id, verb, in: transaction) }
      if before == state { return state }
      if before == .running {
        // A cancel overrides a pause, not the other way round.
        try transaction.execute(
          "UPDATE job SET request = $2 WHERE id = $1 AND request < $2", [.integer(id.rawValue), .integer(request.rawValue)])
        try transaction.ring(JobStore.bell)
        return .running
      }
      let finished: SQLValue = state.isFinal ? .integer(self.clock.now()) : .null
      let rows = try transaction.query(
        "UPDATE job SET state = $2, finished_at = $3 WHERE id = $1 RETURNING \(JobStore.brief)",
        [.integer(id.rawValue), .integer(state.rawValue), finished])
      try self.record(rows, from: before, in: transaction)
      if state.isFinal { try self.settleDependents(of: id, succeeded: false, in: transaction) }
      try transaction.ring(JobStore.bell)
      return state
    }
  }

  private func wrongState(_ id: JobID, _ verb: String, in transaction: any Transaction) throws -> JobsError {
    guard let state = try transaction.integer("SELECT state FROM job WHERE id = $1", [.integer(id.rawValue)]).flatMap(JobState.init) else {
      return JobsError(.unknownJob, "cannot \(verb) job \(id)", reason: "there is no such job", advice: "reel jobs list shows them")
    }
    let advice = verb == "resume" && state.isFinal ? "reel jobs retry puts it back" : nil
    return JobsError(.wrongState, "cannot \(verb) job \(id)", reason: "it is \(state.name)", advice: advice)
  }

  /// Cancels all unfinished jobs of a project, running ones too: their workers own them no longer and can publish nothing more.
  /// Whatever waits for a job of the project that will never be done is cancelled with it.
  func cancelAll(of project: String, in transaction: any Transaction) throws {
    // All are locked before the first event is written.
    let lock = transaction.dialect == .postgresql ? " FOR UPDATE" : ""
    let found = try transaction.query("SELECT id, state FROM job WHERE project = $1 AND state < 5 ORDER BY id\(lock)", [.text(project)])
    for row in found {
      let changed = try transaction.query(
        """
        UPDATE job SET state = 7, finished_at = $2, request = 0, error_code = NULL, error = NULL WHERE id = $1 RETURNING \(JobStore.brief)
        """, [row[0], .integer(clock.now())])
      try record(changed, from: row.integer(1).flatMap(JobState.init), in: transaction)
    }
    let awaited = try transaction.query(
      """
      SELECT DISTINCT d.requires FROM job_dependency d JOIN job j ON j.id = d.requires WHERE j.project = $1 AND j.state <> 5 \
      ORDER BY d.requires
      """, [.text(project)])
    for row in awaited { try settleDependents(of: JobID(row.integer(0) ?? 0), succeeded: false, in: transaction) }
    if !found.isEmpty { try transaction.ring(JobStore.bell) }
  }

  package static let dependentsStatement = "SELECT job FROM job_dependency WHERE requires = $1 ORDER BY job"

  /// Lets go those that waited for `id`, or cancels them, and those that waited for them.
  func settleDependents(of id: JobID, succeeded: Bool, in transaction: any Transaction) throws {
    var finished = [id]
    while let current = finished.popLast() {
      let waiting = try transaction.query(JobStore.dependentsStatement, [.integer(current.rawValue)])
      guard !waiting.isEmpty else { continue }
      let now = clock.now()
      for row in waiting {
        if succeeded {
          try transaction.execute("UPDATE job SET waiting = waiting - 1 WHERE id = $1 AND waiting > 0", [row[0]])
          let freed = try transaction.query(
            "UPDATE job SET state = 0 WHERE id = $1 AND state = 1 AND waiting = 0 AND due_at <= $2 RETURNING \(JobStore.brief)",
            [row[0], .integer(now)])
          try record(freed, from: .scheduled, in: transaction)
        } else {
          let cancelled = try transaction.query(
            """
            UPDATE job SET state = 7, finished_at = $2, error_code = $3, error = $4 WHERE id = $1 AND state IN (0, 1, 3, 4) \
            RETURNING \(JobStore.brief)
            """,
            [row[0], .integer(now), .text(JobsError.Code.dependency.name), .text("job \(current), which it waits for, did not succeed")])
          try record(cancelled, from: .scheduled, in: transaction)
          if !cancelled.isEmpty, let next = row.integer(0) { finished.append(JobID(next)) }
        }
      }
      try transaction.ring(JobStore.bell)
    }
  }
}
