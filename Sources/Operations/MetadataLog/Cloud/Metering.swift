public import Storage

/// What was used, in a span of days.
public struct Usage: Hashable, Sendable {
  public var jobs: Int64 = 0
  public var mediaMilliseconds: Int64 = 0
  public var frames: Int64 = 0
  public var bytes: Int64 = 0

  public init() {}
}

extension MetadataLog {
  /// Meters a finished job, in the transaction that finishes it: adds to the day's sums and appends `usage.metered`.
  public func meter(
    _ usage: Usage, job: String, project: String = "default", in transaction: any Transaction
  ) throws {
    let day = now().quotientFloor(86_400_000_000)
    try transaction.execute(
      """
      INSERT INTO log_usage(day, project, jobs, media_ms, frames, bytes) VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT(day, project) DO UPDATE SET jobs = log_usage.jobs + excluded.jobs,
      media_ms = log_usage.media_ms + excluded.media_ms, frames = log_usage.frames + excluded.frames, bytes = log_usage.bytes + excluded.bytes
      """,
      [
        .integer(day), .text(project), .integer(usage.jobs), .integer(usage.mediaMilliseconds), .integer(usage.frames),
        .integer(usage.bytes),
      ])
    try keys.guardRow(.usage, [.integer(day), .text(project)], in: transaction)
    try append(
      LogEvent(
        .usageMetered, project: project,
        [
          .job: .text(job), .mediaMilliseconds: .integer(usage.mediaMilliseconds), .frames: .integer(usage.frames),
          .bytes: .integer(usage.bytes),
        ]), in: transaction)
  }

  /// The sums since a time (microseconds since 1970), by whole days in UTC; of one project or of all.
  public func usage(sinceMicroseconds: Int64 = 0, project: String? = nil) throws -> Usage {
    try database.read { transaction in
      let row = try transaction.query(
        """
        SELECT coalesce(sum(jobs), 0), coalesce(sum(media_ms), 0), coalesce(sum(frames), 0), coalesce(sum(bytes), 0)
        FROM log_usage WHERE day >= $1 AND ($2 = '' OR project = $2)
        """, [.integer(sinceMicroseconds.quotientFloor(86_400_000_000)), .text(project ?? "")]
      ).first
      // PostgreSQL sums BIGINT into NUMERIC, which arrives as text.
      func number(_ column: Int) -> Int64 { row.flatMap { $0.integer(column) ?? $0.text(column).flatMap { Int64($0) } } ?? 0 }
      var usage = Usage()
      (usage.jobs, usage.mediaMilliseconds, usage.frames, usage.bytes) = (number(0), number(1), number(2), number(3))
      return usage
    }
  }

  /// Appends the day's aggregate over all projects, without any of their names: what anonymous analytics consist of.
  /// Call once a day; it goes out like every event, with consent only.
  public func summarizeDay() throws {
    let day = now().quotientFloor(86_400_000_000) - 1
    let usage = try database.read { transaction in
      try transaction.query(
        "SELECT jobs, media_ms, frames, bytes FROM log_usage WHERE day = $1", [.integer(day)]
      ).reduce(into: Usage()) { sum, row in
        sum.jobs += row.integer(0) ?? 0
        sum.mediaMilliseconds += row.integer(1) ?? 0
        sum.frames += row.integer(2) ?? 0
        sum.bytes += row.integer(3) ?? 0
      }
    }
    guard usage.jobs > 0 else { return }
    try append(
      LogEvent(
        .analyticsDaily,
        [
          .jobs: .integer(usage.jobs), .mediaMilliseconds: .integer(usage.mediaMilliseconds), .frames: .integer(usage.frames),
          .bytes: .integer(usage.bytes),
        ]))
  }
}
