import FoundationEssentials
import Glibc
public import MetadataLog
import PositionedJSON
public import Storage

/// Takes the jobs of a project, their outputs, sidecars and scratch folders out of the world when the project is erased.
public struct JobErasure: ErasureParticipant {
  private let store: JobStore
  private let scratch: Scratch?

  /// - Parameter folder: the runner's folder, for scratch. Default nil: beside a SQLite database.
  public init(store: JobStore, folder: String? = nil) {
    self.store = store
    let place = folder ?? (store.database as? SQLiteDatabase).map { PendingFile.split($0.path).folder }
    scratch = place.map { Scratch(root: $0 + "/scratch") }
  }

  public func removeFiles(of project: String) throws {
    let rows = try store.database.read { transaction in
      try transaction.query(
        "SELECT o.path, o.sha256, o.bytes FROM job_output o JOIN job j ON j.id = o.job WHERE j.project = $1", [.text(project)])
    }
    for row in rows {
      let path = row.text(0) ?? ""
      let output = JobOutput(name: "", path: path, sha256: row.text(1) ?? "", byteCount: row.integer(2) ?? 0)
      // Only what is still the file that was published: the name may have been taken by another since.
      guard Publication.stands(output) else { continue }
      for victim in [path, Publication.sidecarPath(path)] where unlink(victim) != 0 && errno != ENOENT {
        throw PendingFile.failure("erase", victim, errno)
      }
    }
    let jobs = try store.database.read { try $0.query("SELECT id FROM job WHERE project = $1", [.text(project)]) }
    for row in jobs { scratch?.remove(JobID(row.integer(0) ?? 0)) }
  }

  public func removeRows(of project: String, in transaction: any Transaction) throws {
    for row in try transaction.query("SELECT name, spec FROM job_schedule") {
      let spec = try? JobSpec(json: JSONParser.parse(Array((row.text(1) ?? "").utf8), source: JSONSource("schedule")))
      if spec?.project == project { try transaction.execute("DELETE FROM job_schedule WHERE name = $1", [row[0]]) }
    }
    let owned = "IN (SELECT id FROM job WHERE project = $1)"
    try transaction.execute("DELETE FROM job_output WHERE job \(owned)", [.text(project)])
    try transaction.execute("DELETE FROM job_dependency WHERE job \(owned) OR requires \(owned)", [.text(project)])
    // A worker that still runs one of them finds its claim gone and publishes nothing.
    try transaction.execute("DELETE FROM job WHERE project = $1", [.text(project)])
  }
}
