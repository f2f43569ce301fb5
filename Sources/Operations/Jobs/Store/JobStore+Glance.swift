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
  /// - Parameters:
  ///   - classes: the classes with a free slot.
  ///   - needsUnfinished: whether to count what is left, for a drain.
  func glance(worker: Int64, classes: [String], needsUnfinished: Bool) throws -> QueueGlance {
    try database.read { transaction in
      var glance = QueueGlance()
      for slotClass in classes {
        let found = try transaction.query("SELECT 1 FROM job WHERE state = 0 AND class = $1 LIMIT 1", [.text(slotClass)])
        if !found.isEmpty { glance.claimable.insert(slotClass) }
      }
      glance.nextDue = try transaction.integer("SELECT min(due_at) FROM job WHERE state IN (1, 4) AND waiting = 0")
      glance.nextSchedule = try transaction.integer("SELECT min(next_at) FROM job_schedule")
      for row in try transaction.query("SELECT id, token, request FROM job WHERE worker = $1 AND state = 2", [.integer(worker)]) {
        glance.requests[JobID(row.integer(0) ?? 0)] = (row.integer(1) ?? 0, JobRequest(rawValue: row.integer(2) ?? 0) ?? .none)
      }
      for row in try transaction.query("SELECT id, beat FROM job_worker WHERE id <> $1", [.integer(worker)]) {
        glance.peers[row.integer(0) ?? 0] = row.integer(1) ?? 0
      }
      if needsUnfinished {
        glance.hasUnfinished = try !transaction.query("SELECT 1 FROM job WHERE state IN (0, 1, 2, 4) LIMIT 1").isEmpty
      }
      return glance
    }
  }
}
