internal import Storage

extension MetadataLog {
  /// Erases everything of a project: its files and jobs (by `participants`), its events, its marks and its metering; except
  /// what a legal hold covers. What was held is not erased when the hold is released: call this again.
  ///
  /// The intent is stored first: an erasure that a crash interrupted is found in `pendingErasures` and is repeated with
  /// the same call. What remains in the log is a hash, and one event that says that something was erased.
  ///
  /// In this order: no hold can be placed any more, nothing makes files any more, the files go, the rows go, and the files that
  /// they named are looked for once more.
  @discardableResult
  public func erase(project: String, participants: [any ErasureParticipant] = []) throws -> ErasureReport {
    let now = now()
    let wasHeld = try database.write { transaction in
      // Whoever places a hold locks the head too: it sees the erasure, or the erasure sees the hold.
      _ = try LogHead.read(transaction, keys: keys, locking: true)
      try transaction.execute(
        "INSERT INTO log_erasures(project, started_us) VALUES ($1, $2) ON CONFLICT(project) DO NOTHING", [.text(project), .integer(now)])
      try keys.guardRow(.erasures, [.text(project)], in: transaction)
      return try isHeld(project: project, in: transaction)
    }
    var files = ErasedThings()
    if !wasHeld {
      try database.write { transaction in
        for participant in participants { try participant.stop(project, in: transaction) }
      }
      let mayGo = { try !self.database.read { try self.isHeld(project: project, in: $0) } }
      for participant in participants { files = try files + participant.removeFiles(of: project, while: mayGo) }
    }
    let (events, rows) = try database.write { transaction in
      let holds = try LegalHold.all(transaction)
      var rows: [ErasedRows]?
      // Looked at again: a hold that came with an import keeps the rest. One that was released since has kept the files.
      if !wasHeld, !holds.contains(where: { $0.coversAll(of: project) }) {
        // Before the events, because it may add some.
        rows = try participants.map { try $0.removeRows(of: project, in: transaction) }
      }
      let report: ErasureReport = try eraseEvents(of: project, holds, in: transaction)
      for (table, retention) in [(GuardedTable.marks, RetentionClass.account), (.usage, .history)] {
        if holds.contains(where: { $0.covers(project: project, retention: retention) }) { continue }
        try keys.removeRows(table, where: "project = $1", [.text(project)], in: transaction)
      }
      try keys.removeRows(.erasures, where: "project = $1", [.text(project)], in: transaction)
      // Without the project's name, which is erased too.
      try append(LogEvent(.projectErased, [.count: .integer(report.events)]), in: transaction)
      return (report, rows)
    }
    try forgetDestroyedKeys()
    var report = events
    report.gone = files
    if let rows {
      for row in rows { report.gone = try report.gone + ErasedThings(jobs: row.jobs) + row.removeLateFiles() }
    } else {
      for participant in participants { report.held = try report.held + participant.count(of: project) }
    }
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
