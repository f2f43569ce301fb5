internal import Storage

extension MetadataLog {
  /// Erases everything of a project: its files and jobs (by `participants`), its events, its marks and its metering; except
  /// what a legal hold covers. What was held is not erased when the hold is released: call this again.
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
    var files = ErasedThings()
    var kept = ErasedThings()
    if try database.read({ try isHeld(project: project, in: $0) }) {
      for participant in participants { kept = try kept + participant.count(of: project) }
    } else {
      for participant in participants { files = try files + participant.removeFiles(of: project) }
    }
    let report = try database.write { transaction in
      let holds = try LegalHold.all(transaction)
      var report = try eraseEvents(of: project, holds, in: transaction)
      (report.gone, report.held) = (files, kept)
      // Looked at again: a hold that was placed while files went keeps the rest.
      if !holds.contains(where: { $0.coversAll(of: project) }) {
        for participant in participants { report.gone = try report.gone + participant.removeRows(of: project, in: transaction) }
      }
      for (table, retention) in [(GuardedTable.marks, RetentionClass.account), (.usage, .history)] {
        if holds.contains(where: { $0.covers(project: project, retention: retention) }) { continue }
        try keys.removeRows(table, where: "project = $1", [.text(project)], in: transaction)
      }
      try keys.removeRows(.erasures, where: "project = $1", [.text(project)], in: transaction)
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

  private func eraseEvents(of project: String, _ holds: [LegalHold], in transaction: any Transaction) throws -> ErasureReport {
    var report = ErasureReport()
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
