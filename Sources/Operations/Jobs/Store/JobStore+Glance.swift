import Storage

/// All that a dispatcher wants to know when it wakes, read at one moment.
struct QueueGlance: Sendable {
  /// Classes with an available job.
  var claimable: Set<String> = []
  /// When the next job becomes due and the next schedule fires; microseconds since 1970.
  var nextDue: Int64?
  var nextSchedule: Int64?
  /// The worker's own running jobs.
  var requests: [JobID: (token: Int64, request: JobRequest)] = [:]
  /// The other workers and their beats.
  var peers: [Int64: Int64] = [:]
  /// Jobs that are neither finished nor paused, when asked for.
  var hasUnfinished = false
}

extension JobStore {
  /// One statement, which a server answers at once: every worker runs it whenever anything happens.
  ///
  /// - Parameters:
  ///   - classes: the classes with a free slot.
  ///   - needsUnfinished: whether to look for what is left, for a drain.
  func glance(worker: Int64, classes: [String], needsUnfinished: Bool) throws -> QueueGlance {
    var values: [SQLValue] = [.integer(worker)]
    var parts = [
      "SELECT 0, min(due_at), (SELECT min(next_at) FROM job_schedule), 0 FROM job WHERE state IN (1, 4) AND waiting = 0",
      "SELECT 1, id, token, request FROM job WHERE worker = $1 AND state = 2", "SELECT 2, id, beat, 0 FROM job_worker WHERE id <> $1",
    ]
    for (index, slotClass) in classes.enumerated() {
      values.append(.text(slotClass))
      parts.append("SELECT 3, \(index), 0, 0 WHERE EXISTS (SELECT 1 FROM job WHERE state = 0 AND class = $\(values.count))")
    }
    if needsUnfinished { parts.append("SELECT 4, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM job WHERE state IN (0, 1, 2, 4))") }
    let rows = try database.read { try $0.query(parts.joined(separator: " UNION ALL "), values) }
    var glance = QueueGlance()
    for row in rows {
      switch row.integer(0) {
      case 0: (glance.nextDue, glance.nextSchedule) = (row.integer(1), row.integer(2))
      case 1:
        let request = JobRequest(rawValue: row.integer(3) ?? 0) ?? .none
        glance.requests[JobID(row.integer(1) ?? 0)] = (row.integer(2) ?? 0, request)
      case 2: glance.peers[row.integer(1) ?? 0] = row.integer(2) ?? 0
      case 3: glance.claimable.insert(classes[Int(row.integer(1) ?? 0)])
      default: glance.hasUnfinished = true
      }
    }
    return glance
  }
}
