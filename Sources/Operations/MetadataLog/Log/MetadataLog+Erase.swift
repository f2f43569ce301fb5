public import Storage

/// A part of the system that keeps things of a project: the job store, the outputs under management.
public protocol ErasureParticipant: Sendable {
  /// Removes everything of `project` that is outside the database: files, sidecars. May be called again after a crash;
  /// what is gone already is no error. Called before the rows that name the files are removed.
  func removeFiles(of project: String) throws

  /// Removes the rows of `project`, in the transaction that also erases the log's.
  func removeRows(of project: String, in transaction: any Transaction) throws
}

/// What an erasure did.
public struct ErasureReport: Sendable {
  /// Events that are gone.
  public var events: Int64
  /// Events that a legal hold keeps.
  public var heldEvents: Int64
}

extension MetadataLog {
  /// Erases everything of a project: its files and jobs (by `participants`), its events, its marks and its metering.
  ///
  /// The intent is stored first: an erasure that a crash interrupted is found in `pendingErasures` and is repeated with
  /// the same call. What remains in the log is a hash, and one event that says that something was erased.
  @discardableResult
  public func erase(project: String, participants: [any ErasureParticipant] = []) throws -> ErasureReport {
    let now = now()
    try database.write { transaction in
      try transaction.execute(
        "INSERT INTO log_erasures(project, started_us) VALUES ($1, $2) ON CONFLICT(project) DO NOTHING", [.text(project), .integer(now)])
      try keys.guardRow(.erasures, [.text(project)], in: transaction)
    }
    for participant in participants { try participant.removeFiles(of: project) }
    let report = try database.write { transaction in
      for participant in participants { try participant.removeRows(of: project, in: transaction) }
      let report = try eraseEvents(of: project, in: transaction)
      for table in [GuardedTable.marks, .usage, .erasures] {
        try keys.removeRows(table, where: "project = $1", [.text(project)], in: transaction)
      }
      // Without the project's name, which is erased too.
      try append(LogEvent(.projectErased, [.count: .integer(report.events)]), in: transaction)
      return report
    }
    try forgetDestroyedKeys()
    return report
  }

  /// Projects whose erasure was begun and has not ended.
  public func pendingErasures() throws -> [String] {
    try database.read { try $0.query("SELECT project FROM log_erasures ORDER BY started_us").compactMap { $0.text(0) } }
  }

  private func eraseEvents(of project: String, in transaction: any Transaction) throws -> ErasureReport {
    var report = ErasureReport(events: 0, heldEvents: 0)
    let holds = try LegalHold.all(transaction)
    for row in try transaction.query("SELECT id, retention FROM log_keys WHERE project = $1 ORDER BY id", [.text(project)]) {
      guard let id = row.integer(0) else { continue }
      let retention = row.text(1).flatMap(RetentionClass.init(rawValue:))
      if holds.contains(where: { $0.covers(project: project, retention: retention ?? .moderation) }) {
        report.heldEvents += try transaction.integer("SELECT count(*) FROM log_events WHERE key_id = $1", [.integer(id)]) ?? 0
      } else {
        report.events += try bury(keyID: id, in: transaction)
      }
    }
    return report
  }
}
