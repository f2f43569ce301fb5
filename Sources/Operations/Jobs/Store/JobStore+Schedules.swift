import PositionedJSON
import Storage

/// A job that is submitted again and again.
public struct JobSchedule: Hashable, Sendable {
  /// 1–64 of `a-z`, `A-Z`, `0-9`, `.`, `-`, `_`.
  public var name: String
  public var cron: CronSchedule
  public var spec: JobSpec
  /// Microseconds since 1970.
  public var nextAt: Int64
  /// The job that it submitted last.
  public var lastJob: JobID?
}

extension JobStore {
  /// Creates or replaces the schedule `name`; its first job comes at the next time that fits.
  public func setSchedule(name: String, cron: CronSchedule, spec: JobSpec) throws {
    guard JobSpec.isIdentifier(name) else {
      throw JobsError(.invalidSpec, "cannot store a schedule", reason: "its name must be 1–64 of a-z, A-Z, 0-9, '.', '-', '_'")
    }
    try spec.validate()
    guard let next = cron.next(after: clock.now()) else {
      throw JobsError(.invalidSpec, "cannot store a schedule", reason: "it never fires")
    }
    try database.write { transaction in
      try transaction.execute(
        """
        INSERT INTO job_schedule(name, cron, spec, next_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT(name) DO UPDATE SET cron = excluded.cron, spec = excluded.spec, next_at = excluded.next_at
        """, [.text(name), .text(cron.description), .text(spec.json.text(indent: nil)), .integer(next)])
      try transaction.ring(JobStore.bell)
    }
  }

  /// Returns false when there was none of that name.
  @discardableResult
  public func removeSchedule(name: String) throws -> Bool {
    try database.write { try $0.execute("DELETE FROM job_schedule WHERE name = $1", [.text(name)]) } == 1
  }

  public func schedules() throws -> [JobSchedule] {
    try database.read { try $0.query("SELECT name, cron, spec, next_at, last_job FROM job_schedule ORDER BY name") }.map(JobStore.schedule)
  }

  private static func schedule(_ row: Row) throws -> JobSchedule {
    let name = row.text(0) ?? ""
    let spec = try JSONParser.parse(Array((row.text(2) ?? "").utf8), source: JSONSource("schedule \(name)"))
    return JobSchedule(
      name: name, cron: try CronSchedule(row.text(1) ?? ""), spec: try JobSpec(json: spec), nextAt: row.integer(3) ?? 0,
      lastJob: row.integer(4).map { JobID($0) })
  }

  /// Submits a job for each schedule whose time has come: one, however many times were missed, and none while its last
  /// one is not finished. Returns when the next is due.
  func fireSchedules() throws -> Int64? {
    let now = clock.now()
    let next = try database.read { try $0.integer("SELECT min(next_at) FROM job_schedule") }
    guard let next, next <= now else { return next }
    return try database.write { transaction in
      let lock = transaction.dialect.skipLocked
      let rows = try transaction.query(
        "SELECT name, cron, spec, next_at, last_job FROM job_schedule WHERE next_at <= $1\(lock)", [.integer(now)])
      for row in rows {
        var schedule = try JobStore.schedule(row)
        // The key keeps two workers, and two rounds of a slow job, from running at once.
        schedule.spec.uniqueKey = schedule.spec.uniqueKey ?? "schedule/\(schedule.name)"
        let job = try self.submit([schedule.spec], in: transaction)[0]
        try transaction.execute(
          "UPDATE job_schedule SET next_at = $2, last_job = $3 WHERE name = $1",
          [row[0], .integer(schedule.cron.next(after: now) ?? Int64.max), .integer(job.id.rawValue)])
      }
      return try transaction.integer("SELECT min(next_at) FROM job_schedule")
    }
  }
}
