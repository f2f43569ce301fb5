public import Storage

/// A legal hold: what it covers is neither purged nor erased until it is released.
///
/// One without a class covers everything of its project: events, jobs with their outputs and sidecars, schedules, marks and
/// metering. One with a class covers the events of that class; those of the account cover the marks of creators too, those
/// of the history the metering.
public struct LegalHold: Hashable, Sendable {
  public var id: Int64
  /// The project that is held; nil: every one.
  public var project: String?
  /// The class that is held; nil: every one.
  public var retention: RetentionClass?
  public var placedMicroseconds: Int64
  /// Why, in the words of who placed it: 1 to 64 characters. Stays on this machine.
  public var reason: String

  func covers(project: String, retention: RetentionClass) -> Bool {
    (self.project ?? project) == project && (self.retention ?? retention) == retention
  }

  /// Whether jobs and files of `project` stay.
  func coversAll(of project: String) -> Bool { retention == nil && (self.project ?? project) == project }

  static func all(_ transaction: any Transaction) throws -> [LegalHold] {
    try transaction.query("SELECT id, project, retention, placed_us, reason FROM log_holds ORDER BY id").compactMap { row in
      guard let id = row.integer(0), let placed = row.integer(3), let reason = row.text(4) else { return nil }
      // A class that this version does not know must still hold: it then covers every class.
      return LegalHold(
        id: id, project: row.text(1), retention: row.text(2).flatMap(RetentionClass.init(rawValue:)), placedMicroseconds: placed,
        reason: reason)
    }
  }
}

extension MetadataLog {
  /// The holds in force, oldest first.
  public func holds() throws -> [LegalHold] { try database.read { try LegalHold.all($0) } }

  /// Whether a hold keeps everything of `project`, its jobs and files too, seen from within a transaction.
  public func isHeld(project: String, in transaction: any Transaction) throws -> Bool {
    try LegalHold.all(transaction).contains { $0.coversAll(of: project) }
  }

  /// Places a hold and returns it. Throws `retryLater` while a project that it covers is being erased.
  public func placeHold(project: String?, retention: RetentionClass?, reason: String) throws -> LegalHold {
    guard EventFieldType.isLabel(reason), project.map(EventFieldType.isLabel) ?? true else {
      throw MetadataLogError(.usage, "cannot place a hold", reason: "project and reason have 1 to 64 characters")
    }
    let now = now()
    return try database.write { transaction in
      _ = try LogHead.read(transaction, keys: keys, locking: true)
      let erased = try transaction.query("SELECT project FROM log_erasures ORDER BY started_us").compactMap { $0.text(0) }
      if let name = erased.first(where: { $0 == project ?? $0 }) {
        throw MetadataLogError(
          .retryLater, "cannot place a hold", reason: "the project \(name) is being erased",
          advice: "try again when that has ended; reel log erase --project \(name) finishes one that was interrupted")
      }
      let id = (try transaction.integer("SELECT max(id) FROM log_holds") ?? 0) + 1
      try transaction.execute(
        "INSERT INTO log_holds(id, project, retention, placed_us, reason) VALUES ($1, $2, $3, $4, $5)",
        [.integer(id), .text(project), .text(retention?.rawValue), .integer(now), .text(reason)])
      try keys.guardRow(.holds, [.integer(id)], in: transaction)
      try append(holdEvent("on", retention), in: transaction)
      return LegalHold(id: id, project: project, retention: retention, placedMicroseconds: now, reason: reason)
    }
  }

  /// Ends a hold; what it covered goes with the next purge when its time has come. Throws `missing`.
  public func releaseHold(_ id: Int64) throws {
    try database.write { transaction in
      let hold = try LegalHold.all(transaction).first { $0.id == id }
      guard let hold else {
        throw MetadataLogError(.missing, "cannot release a hold", reason: "there is no hold \(id)", advice: "reel log hold lists them")
      }
      try keys.removeRows(.holds, where: "id = $1", [.integer(id)], in: transaction)
      try append(holdEvent("off", hold.retention), in: transaction)
    }
  }

  private func holdEvent(_ state: String, _ retention: RetentionClass?) -> LogEvent {
    var event = LogEvent(.holdChanged, [.state: .text(state)])
    if let retention { event.fields[.retention] = .text(retention.rawValue) }
    return event
  }
}
