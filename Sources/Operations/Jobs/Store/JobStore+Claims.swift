package import Storage

/// A job that a worker has the right to run.
package struct ClaimedJob: Sendable {
  package let claim: JobClaim
  package let job: Job
}

extension JobStore {
  /// Takes up to `count` available jobs of one class, the highest priority first, then the oldest.
  ///
  /// Costs the same whatever the length of the queue: it reads the head of an index.
  package func claim(worker: Int64, slotClass: String, count: Int, kinds: [String]) throws -> [ClaimedJob] {
    guard count > 0, !kinds.isEmpty else { return [] }
    let rows = try database.write(.crashSafe) { transaction in
      let rows = try transaction.query(
        JobStore.claimStatement(kinds: kinds.count, dialect: transaction.dialect),
        [.integer(worker), .integer(self.clock.now()), .text(slotClass), .integer(count)] + kinds.map { SQLValue.text($0) })
      if self.recorder != nil {
        for row in rows {
          let brief = Row([row[0], row[1], row[4], row[3], row[22], row[23], row[32], row[25], row[18]])
          try self.record([brief], from: .available, in: transaction)
        }
      }
      return rows
    }
    // RETURNING promises no order.
    return rows.map { row in
      let job = JobStore.job(from: row)
      return ClaimedJob(claim: JobClaim(job: job.id, worker: worker, token: row.integer(36) ?? 0), job: job)
    }.sorted { ($1.job.spec.priority, $0.job.id) < ($0.job.spec.priority, $1.job.id) }
  }

  /// The statement that claims; its query plan is shown by a test. `$1` worker, `$2` now, `$3` class, `$4` count, then kinds.
  package static func claimStatement(kinds: Int, dialect: Dialect) -> String {
    let list = (0..<kinds).map { "$\($0 + 5)" }.joined(separator: ", ")
    return """
      WITH picked AS MATERIALIZED (SELECT id AS picked_id FROM job WHERE state = 0 AND class = $3 AND kind IN (\(list)) \
      ORDER BY priority DESC, id LIMIT $4\(dialect.skipLocked)) \
      UPDATE job SET state = 2, worker = $1, token = token + 1, attempt = attempt + 1, started_at = $2, request = 0, \
      progress = NULL, eta = NULL, stage = NULL WHERE id IN (SELECT picked_id FROM picked) RETURNING \(columns)
      """
  }

  /// Makes jobs available whose time has come. Returns when the next one is due, nil when none is scheduled.
  func promote() throws -> Int64? {
    let now = clock.now()
    let next = try database.read { try $0.integer("SELECT min(due_at) FROM job WHERE state IN (1, 4) AND waiting = 0") }
    guard let next, next <= now else { return next }
    return try database.write(.crashSafe) { transaction in
      let rows = try transaction.query(
        "UPDATE job SET state = 0 WHERE state IN (1, 4) AND waiting = 0 AND due_at <= $1 RETURNING \(JobStore.brief)", [.integer(now)])
      try self.record(rows, from: .scheduled, in: transaction)
      try transaction.ring(JobStore.bell)
      return try transaction.integer("SELECT min(due_at) FROM job WHERE state IN (1, 4) AND waiting = 0")
    }
  }

  /// Stores how far a job has come. May be lost on power failure.
  func saveProgress(_ claim: JobClaim, done: Double?, etaSeconds: Double?, stage: String?) throws {
    try guarded(
      .crashSafe, claim, "save the progress of", "progress = $4, eta = $5, stage = $6", [.real(done), .real(etaSeconds), .text(stage)])
  }

  /// Stores what the next attempt needs to go on from here.
  func saveCheckpoint(_ claim: JobClaim, _ checkpoint: [UInt8]) throws {
    try guarded(.powerSafe, claim, "save a checkpoint of", "checkpoint = $4", [.blob(checkpoint)])
  }

  private func guarded(_ durability: Durability, _ claim: JobClaim, _ what: String, _ assignments: String, _ values: [SQLValue]) throws {
    let changed = try database.write(durability) { transaction in
      try transaction.execute("UPDATE job SET \(assignments) WHERE \(JobStore.ownership)", claim.values + values)
    }
    if changed != 1 { throw JobStore.fenced(claim, what) }
  }

  /// The guard of every write by a worker.
  static let ownership = "id = $1 AND worker = $2 AND token = $3 AND state = 2"

  static func fenced(_ claim: JobClaim, _ what: String) -> JobsError {
    JobsError(.fenced, "cannot \(what) job \(claim.job)", reason: "it has been taken over by another worker")
  }
}

extension JobClaim {
  /// The parameters `$1` to `$3` of `JobStore.ownership`.
  var values: [SQLValue] { [.integer(job.rawValue), .integer(worker), .integer(token)] }
}
