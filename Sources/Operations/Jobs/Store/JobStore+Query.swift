import Storage

/// Which jobs to list. An empty filter lists all.
public struct JobFilter: Hashable, Sendable {
  public var states: Set<JobState> = []
  public var kind: String?
  public var project: String?
  /// All of these must be set so.
  public var labels: [String: String] = [:]
  /// Only jobs after this one.
  public var after: JobID?
  /// Most jobs to return. Default 1000.
  public var limit = 1000

  public init() {}
}

extension JobStore {
  /// The job; nil when there is none of that id.
  public func job(_ id: JobID) throws -> Job? {
    try database.read { try $0.query("SELECT \(JobStore.columns) FROM job WHERE id = $1", [.integer(id.rawValue)]).first.map(JobStore.job) }
  }

  /// Those of the jobs that exist.
  func jobs(_ ids: [JobID]) throws -> [Job] { try ids.compactMap { try job($0) } }

  /// Jobs in the order of submission.
  public func jobs(_ filter: JobFilter = JobFilter()) throws -> [Job] {
    var conditions = ["id > $1"]
    var values: [SQLValue] = [.integer(filter.after?.rawValue ?? 0)]
    if !filter.states.isEmpty {
      conditions.append("state IN (\(filter.states.map { String($0.rawValue) }.sorted().joined(separator: ", ")))")
    }
    if let kind = filter.kind {
      values.append(.text(kind))
      conditions.append("kind = $\(values.count)")
    }
    if let project = filter.project {
      values.append(.text(project))
      conditions.append("project = $\(values.count)")
    }
    for (key, value) in filter.labels.sorted(by: { $0.key < $1.key }) {
      // Labels are stored as a JSON object in one line; a member is found by its text.
      let member = String(JobSpec.column([key: value]).dropFirst().dropLast())
      let pattern = member.reduce(into: "") { $0 += "%_\\".contains($1) ? "\\\($1)" : String($1) }
      values.append(.text("%\(pattern)%"))
      conditions.append("labels LIKE $\(values.count) ESCAPE '\\'")
    }
    values.append(.integer(filter.limit))
    let sql = "SELECT \(JobStore.columns) FROM job WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT $\(values.count)"
    let jobs = try database.read { try $0.query(sql, values).map(JobStore.job) }
    return jobs.filter { job in filter.labels.allSatisfy { job.spec.labels[$0.key] == $0.value } }
  }

  /// How many jobs are in each state that has any.
  public func counts() throws -> [JobState: Int] {
    let rows = try database.read { try $0.query("SELECT state, count(*) FROM job GROUP BY state") }
    return Dictionary(
      uniqueKeysWithValues: rows.compactMap { row in
        JobState(rawValue: row.integer(0) ?? -1).map { ($0, Int(row.integer(1) ?? 0)) }
      })
  }

  /// Removes finished jobs with everything about them. Their files stay, and so do jobs that the recorder says are held.
  ///
  /// What waits for a removed job that did not succeed is cancelled, as it would have been by the failure: such a dependent has
  /// been tried again since, and would wait for ever. One that is tried again later does not wait for what is no longer there.
  /// - Parameters:
  ///   - before: those that finished before this time (microseconds since 1970). Default nil: all of them.
  ///   - project: only of this project. Default nil: of all.
  /// - Returns: how many.
  @discardableResult
  public func removeFinished(before: Int64? = nil, project: String? = nil) throws -> Int {
    try database.write { transaction in
      let due = "FROM job WHERE state >= 5 AND finished_at < $1 AND (CAST($2 AS TEXT) IS NULL OR project = $2)"
      var values: [SQLValue] = [.integer(before ?? Int64.max), .text(project)]
      var kept = ""
      if let recorder {
        for row in try transaction.query("SELECT DISTINCT project \(due)", values) {
          guard let name = row.text(0), try recorder.isHeld(project: name, in: transaction) else { continue }
          values.append(row[0])
          kept += " AND project <> $\(values.count)"
        }
      }
      let rows = try transaction.query("DELETE \(due)\(kept) RETURNING id, state", values)
      // First of all of them: what is cancelled for one of these must stay to say so.
      for row in rows where row.integer(1) != JobState.done.rawValue {
        guard let id = row.integer(0) else { continue }
        try settleDependents(of: JobID(id), succeeded: false, in: transaction)
        try transaction.execute(
          "UPDATE job SET waiting = waiting - 1 WHERE waiting > 0 AND id IN (SELECT job FROM job_dependency WHERE requires = $1)", [row[0]])
      }
      for row in rows {
        try transaction.execute("DELETE FROM job_output WHERE job = $1", [row[0]])
        try transaction.execute("DELETE FROM job_dependency WHERE job = $1 OR requires = $1", [row[0]])
      }
      return rows.count
    }
  }
}
