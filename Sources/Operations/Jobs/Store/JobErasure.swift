import FoundationEssentials
import Glibc
public import MetadataLog
import PositionedJSON
public import Storage

/// Takes the jobs of a project, their outputs, sidecars and scratch folders out of the world when the project is erased.
public struct JobErasure: ErasureParticipant {
  private let store: JobStore
  private let scratch: Scratch?
  private let place: String?

  /// - Parameter folder: the runner's folder, for scratch and, in `inputs`, fetched inputs. Default nil: that of a SQLite
  ///   database.
  public init(store: JobStore, folder: String? = nil) {
    self.store = store
    place = folder ?? (store.database as? SQLiteDatabase).map { PendingFile.split($0.path).folder }
    scratch = place.map { Scratch(root: $0 + "/scratch") }
  }

  public func count(of project: String) throws -> ErasedThings {
    let jobs = try store.database.read { try $0.integer("SELECT count(*) FROM job WHERE project = $1", [.text(project)]) }
    var paths: Set<String> = []
    for output in try outputs(of: project) {
      for path in [output.path, Publication.sidecarPath(output.path)] where access(path, F_OK) == 0 { paths.insert(path) }
    }
    return ErasedThings(jobs: jobs ?? 0, files: Int64(paths.count + (try cachedInputs(of: project).count)))
  }

  public func removeFiles(of project: String) throws -> ErasedThings {
    var things = ErasedThings()
    var others: Set<String> = []
    func erase(_ path: String) throws {
      if unlink(path) == 0 { things.files += 1 } else if errno != ENOENT { throw PendingFile.failure("erase", path, errno) }
    }
    for output in try outputs(of: project) {
      let sidecar = Publication.sidecarPath(output.path)
      // Only what is still the file that was published: the name may have been taken by another since.
      if Publication.stands(output) {
        try erase(output.path)
        try erase(sidecar)
        continue
      }
      others.insert(output.path)
      // Its own sidecar may have outlived it, in an erasure that was interrupted for one.
      if let text = output.sidecar, Publication.contents(sidecar) == Array(text.utf8) { try erase(sidecar) }
    }
    things.leftFiles = Int64(others.count { RemoteFiles.isRemote($0) || access($0, F_OK) == 0 })
    let jobs = try store.database.read { try $0.query("SELECT id FROM job WHERE project = $1", [.text(project)]) }
    for row in jobs { scratch?.remove(JobID(row.integer(0) ?? 0)) }
    for path in try cachedInputs(of: project) { try erase(path) }
    return things
  }

  /// Copies of inputs that were fetched for the project's jobs: those whose hash stands in a location or in a sidecar, and
  /// which no unfinished job of another project asks for.
  private func cachedInputs(of project: String) throws -> [String] {
    guard let place else { return [] }
    var digests: Set<String> = []
    func collect(_ text: String) {
      for part in text.split(whereSeparator: { !$0.isHexDigit }) where part.utf8.count == 64 { digests.insert(part.lowercased()) }
    }
    for row in try store.database.read({ try $0.query("SELECT inputs FROM job WHERE project = $1", [.text(project)]) }) {
      collect(row.text(0) ?? "")
    }
    for output in try outputs(of: project) { collect(output.sidecar ?? "") }
    return try digests.sorted().filter { digest in
      guard access("\(place)/inputs/sha256-\(digest)", F_OK) == 0 else { return false }
      return try store.database.read {
        try $0.query(
          "SELECT 1 FROM job WHERE project <> $1 AND state < 5 AND inputs LIKE $2 LIMIT 1", [.text(project), .text("%\(digest)%")])
      }.isEmpty
    }.map { "\(place)/inputs/sha256-\($0)" }
  }

  private func outputs(of project: String) throws -> [JobOutput] {
    try store.database.read { transaction in
      try transaction.query(
        "SELECT o.path, o.sha256, o.bytes, o.sidecar FROM job_output o JOIN job j ON j.id = o.job WHERE j.project = $1", [.text(project)])
    }.map { row in
      JobOutput(
        name: "", path: row.text(0) ?? "", sha256: row.text(1) ?? "", byteCount: row.integer(2) ?? 0, sidecar: row.text(3))
    }
  }

  public func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedThings {
    for row in try transaction.query("SELECT name, spec FROM job_schedule") {
      let spec = try? JobSpec(json: JSONParser.parse(Array((row.text(1) ?? "").utf8), source: JSONSource("schedule")))
      if spec?.project == project { try transaction.execute("DELETE FROM job_schedule WHERE name = $1", [row[0]]) }
    }
    let owned = "IN (SELECT id FROM job WHERE project = $1)"
    try transaction.execute("DELETE FROM job_output WHERE job \(owned)", [.text(project)])
    try transaction.execute("DELETE FROM job_dependency WHERE job \(owned) OR requires \(owned)", [.text(project)])
    // A worker that still runs one of them finds its claim gone and publishes nothing.
    return ErasedThings(jobs: Int64(try transaction.execute("DELETE FROM job WHERE project = $1", [.text(project)])))
  }
}
