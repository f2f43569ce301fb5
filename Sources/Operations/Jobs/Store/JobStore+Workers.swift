import Storage

/// A process that runs jobs.
public struct JobWorker: Hashable, Sendable {
  /// Also the key of its session lock.
  public let id: Int64
  /// Its process number and start, for people.
  public let name: String
  /// Microseconds since 1970.
  public let startedAt: Int64
  /// Goes up while it lives.
  public let beat: Int64
}

extension JobStore {
  func register(worker: Int64, name: String) throws {
    try database.write(.crashSafe) { transaction in
      try transaction.execute(
        "INSERT INTO job_worker(id, name, started_at, beat) VALUES ($1, $2, $3, 0) ON CONFLICT(id) DO NOTHING",
        [.integer(worker), .text(name), .integer(self.clock.now())])
      try transaction.ring(JobStore.bell)
    }
  }

  /// Returns false when the worker has been declared dead.
  func beat(worker: Int64) throws -> Bool {
    try database.write(.crashSafe) { try $0.execute("UPDATE job_worker SET beat = beat + 1 WHERE id = $1", [.integer(worker)]) } == 1
  }

  func deregister(worker: Int64) throws {
    try database.write(.crashSafe) { _ = try $0.execute("DELETE FROM job_worker WHERE id = $1", [.integer(worker)]) }
  }

  /// The workers that are registered.
  public func workers() throws -> [JobWorker] {
    try database.read { try $0.query("SELECT id, name, started_at, beat FROM job_worker ORDER BY started_at, id") }.map { row in
      JobWorker(id: row.integer(0) ?? 0, name: row.text(1) ?? "", startedAt: row.integer(2) ?? 0, beat: row.integer(3) ?? 0)
    }
  }

  /// Workers that own running jobs and are not registered any more; a crash between two transactions leaves them.
  func orphans() throws -> [Int64] {
    try database.read { transaction in
      try transaction.query(
        "SELECT DISTINCT worker FROM job WHERE state = 2 AND NOT EXISTS (SELECT 1 FROM job_worker w WHERE w.id = job.worker)"
      ).compactMap { $0.integer(0) }
    }
  }
}
