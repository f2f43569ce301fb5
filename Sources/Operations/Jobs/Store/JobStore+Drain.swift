import Storage

/// Unfinished jobs that a worker does not wait for, by kind, class and reason.
public struct StrandedJobs: Hashable, Sendable {
  /// Why it does not wait for them.
  public enum Reason: String, Sendable {
    /// It has no handler or no slot for them.
    case unsuited
    /// They wait for a job that it does not wait for either: one that is unsuited or paused, or that has failed.
    case waiting
  }

  public var kind: String
  public var slotClass: String
  public var reason: Reason
  public var count: Int
}

extension JobStore {
  /// Whether a worker with handlers for `kinds` and slots for `classes` has anything to wait for: a job that it could run
  /// now or later, one of them that another worker runs, or one that waits for a job that may still be done.
  ///
  /// Not waited for are paused jobs, those of other kinds and classes, and what waits for any of these or for a job that has failed.
  func hasWork(kinds: [String], classes: [String]) throws -> Bool {
    let (stranded, values) = JobStore.stranded(kinds, classes)
    return try !database.read {
      try $0.query(
        """
        \(stranded) SELECT 1 FROM job j WHERE (j.state IN (0, 1, 4) AND j.id NOT IN (SELECT id FROM stranded)) \
        OR (j.state = 2 AND NOT (\(JobStore.isForeign(kinds, classes)))) LIMIT 1
        """, values)
    }.isEmpty
  }

  /// The unfinished jobs that `hasWork` does not count, paused ones aside.
  func strandedJobs(kinds: [String], classes: [String]) throws -> [StrandedJobs] {
    let (stranded, values) = JobStore.stranded(kinds, classes)
    return try database.read {
      try $0.query(
        """
        \(stranded) SELECT kind, class, CASE WHEN \(JobStore.isForeign(kinds, classes)) THEN 0 ELSE 1 END, count(*) FROM job j \
        WHERE state IN (0, 1, 4) AND id IN (SELECT id FROM stranded) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """, values)
    }.map {
      StrandedJobs(
        kind: $0.text(0) ?? "", slotClass: $0.text(1) ?? "", reason: $0.integer(2) == 0 ? .unsuited : .waiting,
        count: Int($0.integer(3) ?? 0))
    }
  }

  private static func isForeign(_ kinds: [String], _ classes: [String]) -> String {
    func list(_ count: Int, from first: Int) -> String { (0..<count).map { "$\($0 + first)" }.joined(separator: ", ") }
    // Without a slot nothing can run; `IN ()` is no SQL.
    guard !kinds.isEmpty, !classes.isEmpty else { return "1 = 1" }
    return "j.kind NOT IN (\(list(kinds.count, from: 1))) OR j.class NOT IN (\(list(classes.count, from: kinds.count + 1)))"
  }

  private static func stranded(_ kinds: [String], _ classes: [String]) -> (sql: String, values: [SQLValue]) {
    let values = kinds.isEmpty || classes.isEmpty ? [] : (kinds + classes).map { SQLValue.text($0) }
    let sql = """
      WITH RECURSIVE stranded(id) AS (\
      SELECT j.id FROM job j WHERE j.state IN (3, 6, 7) OR (j.state IN (0, 1, 4) AND (\(isForeign(kinds, classes)))) \
      UNION SELECT d.job FROM job_dependency d JOIN stranded s ON d.requires = s.id)
      """
    return (sql, values)
  }
}
