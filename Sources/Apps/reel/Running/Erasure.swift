import Reelwright

/// Who takes part when a project is erased, beside the log itself, and how the outcome is told.
enum Erasure {
  static func participants(_ log: MetadataLog) throws -> [any ErasureParticipant] {
    let folder = log.database is SQLiteDatabase ? nil : Store.folder
    return [JobErasure(store: try JobStore(database: log.database, recorder: JobEvents(log: log)), folder: folder)]
  }

  /// `4 events, 1 job and 2 files erased`, and what was left.
  static func text(_ report: ErasureReport, finished: [String]) -> String {
    var text = finished.map { "the interrupted erasure of \($0) was finished\n" }.joined()
    text += counted(report.events, report.gone) + " erased\n"
    if report.heldEvents + report.held.jobs + report.held.files > 0 {
      text += counted(report.heldEvents, report.held) + " held; reel log hold shows why\n"
    }
    let left = report.gone.leftFiles
    if left > 0 { text += "\(left) output\(left == 1 ? "" : "s") left: changed since, another project's too, or sent to another host\n" }
    let missing = report.gone.missingFiles
    if missing > 0 {
      text += "\(missing) output\(missing == 1 ? "" : "s") not found here: renamed or removed since, or on another machine\n"
    }
    return text
  }

  private static func counted(_ events: Int64, _ things: ErasedThings) -> String {
    func some(_ count: Int64, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
    return "\(some(events, "event")), \(some(things.jobs, "job")) and \(some(things.files, "file"))"
  }
}

/// `reel log erase --json`.
struct ErasureDocument: Encodable {
  var schema = 1
  /// Events.
  var erased: Int64
  var held: Int64
  var erasedJobs: Int64
  var erasedFiles: Int64
  var heldJobs: Int64
  var heldFiles: Int64
  var leftFiles: Int64
  /// Not where they were published.
  var missingFiles: Int64
  /// Projects whose interrupted erasure was finished on the way.
  var finished: [String]

  init(_ report: ErasureReport, finished: [String]) {
    (erased, held) = (report.events, report.heldEvents)
    (erasedJobs, erasedFiles) = (report.gone.jobs, report.gone.files)
    (heldJobs, heldFiles) = (report.held.jobs, report.held.files)
    (leftFiles, missingFiles) = (report.gone.leftFiles, report.gone.missingFiles)
    self.finished = finished
  }
}
