import Crypto
import FileAccess
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

  /// - Parameters:
  ///   - store: with the recorder of those that change jobs: jobs of other projects that wait for one of the erased are cancelled.
  ///   - folder: the runner's folder, for scratch and, in `inputs`, fetched inputs. Default nil: that of a SQLite database.
  public init(store: JobStore, folder: String? = nil) {
    self.store = store
    place = folder ?? (store.database as? SQLiteDatabase).map { PendingFile.split($0.path).folder }
    scratch = place.map { Scratch(root: $0 + "/scratch") }
  }

  public func count(of project: String) throws -> ErasedThings {
    let jobs = try store.database.read { try $0.integer("SELECT count(*) FROM job WHERE project = $1", [.text(project)]) }
    var paths: Set<String> = []
    for output in try outputs(of: project) {
      for path in [output.output.path, Publication.sidecarPath(output.output.path)] where access(path, F_OK) == 0 { paths.insert(path) }
    }
    return ErasedThings(jobs: jobs ?? 0, files: Int64(paths.count + (try cachedInputs(of: project).count)))
  }

  public func stop(_ project: String, in transaction: any Transaction) throws { try store.cancelAll(of: project, in: transaction) }

  public func removeFiles(of project: String, while mayGo: () throws -> Bool) throws -> ErasedThings {
    var things = try remove(try outputs(of: project), of: project, while: mayGo)
    let jobs = try store.database.read { try $0.query("SELECT id FROM job WHERE project = $1", [.text(project)]) }
    for row in jobs {
      guard try mayGo() else { return things }
      scratch?.remove(JobID(row.integer(0) ?? 0))
    }
    for path in try cachedInputs(of: project) {
      guard try mayGo() else { return things }
      if try erase(path) { things.files += 1 }
    }
    return things
  }

  private struct Published {
    var output: JobOutput
    var isDone: Bool
  }

  private func remove(_ published: [Published], of project: String, while mayGo: () throws -> Bool) throws -> ErasedThings {
    var things = ErasedThings()
    var (erased, others, missing): (Set<String>, Set<String>, Set<String>) = ([], [], [])
    var claimed: [JobOutput] = []
    for (index, entry) in published.enumerated() {
      guard try mayGo() else { break }
      if index % JobErasure.batch == 0 { claimed = try claims(of: published[index...].prefix(JobErasure.batch), besides: project) }
      let output = entry.output
      let sidecar = Publication.sidecarPath(output.path)
      let shared = claimed.filter { $0.path == output.path && $0.sha256 == output.sha256 }
      // Only what is still the file that was published: the name may have been taken by another since.
      switch try look(at: output) {
      case .own where shared.isEmpty:
        if try erase(output.path) { things.files += 1 }
        erased.insert(output.path)
      case .own, .other: others.insert(output.path)
      case .missing: if entry.isDone { missing.insert(output.path) }
      }
      // Its own sidecar may have outlived it, in an erasure that was interrupted for one; or be another's by now.
      if let text = output.sidecar, !shared.contains(where: { $0.sidecar == text }), Publication.contents(sidecar) == Array(text.utf8),
        try erase(sidecar)
      {
        things.files += 1
      }
    }
    things.leftFiles = Int64(others.subtracting(erased).count)
    things.missingFiles = Int64(missing.subtracting(erased).subtracting(others).count)
    return things
  }

  private static let batch = 50

  /// What jobs of other projects have published, or are about to, under the same paths.
  private func claims(of published: ArraySlice<Published>, besides project: String) throws -> [JobOutput] {
    let paths = Set(published.map(\.output.path)).sorted()
    let list = paths.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
    return try store.database.read {
      try $0.query(
        """
        SELECT o.path, o.sha256, o.bytes, o.sidecar FROM job_output o JOIN job j ON j.id = o.job \
        WHERE j.project <> $1 AND o.path IN (\(list))
        """, [.text(project)] + paths.map { .text($0) })
    }.map(JobErasure.output)
  }

  /// - Returns: false when it is not there.
  private func erase(_ path: String) throws -> Bool {
    if unlink(path) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else { throw PendingFile.failure("erase", path, errno) }
    return false
  }

  private enum Finding { case own, other, missing }

  /// Whether the published file is still there; throws when that cannot be told.
  private func look(at output: JobOutput) throws -> Finding {
    func failure(_ number: Int32) -> JobsError {
      JobsError(
        .io, "cannot look at \(output.path)", reason: String(cString: strerror(number)),
        advice: "make it readable, or remove it, and erase the project again")
    }
    if RemoteFiles.isRemote(output.path) { return .other }
    let number = open(output.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: return .missing
      // A symbolic link, a socket, a device without a driver: nothing that was published.
      case ELOOP, ENXIO, ENODEV: return .other
      default: throw failure(errno)
      }
    }
    let descriptor = Descriptor(owning: number)
    guard let snapshot = FileSnapshot(of: number) else { throw failure(errno) }
    guard snapshot.isRegular, snapshot.byteCount == output.byteCount else { return .other }
    return try SHA256.digest(ofDescriptor: descriptor.rawValue, name: output.path).hex == output.sha256 ? .own : .other
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
    for output in try outputs(of: project) { collect(output.output.sidecar ?? "") }
    return try digests.sorted().filter { digest in
      guard access("\(place)/inputs/sha256-\(digest)", F_OK) == 0 else { return false }
      return try store.database.read {
        try $0.query(
          "SELECT 1 FROM job WHERE project <> $1 AND state < 5 AND inputs LIKE $2 LIMIT 1", [.text(project), .text("%\(digest)%")])
      }.isEmpty
    }.map { "\(place)/inputs/sha256-\($0)" }
  }

  private func outputs(of project: String) throws -> [Published] {
    try store.database.read { transaction in
      try transaction.query(
        "SELECT o.path, o.sha256, o.bytes, o.sidecar, j.state FROM job_output o JOIN job j ON j.id = o.job WHERE j.project = $1",
        [.text(project)])
    }.map { Published(output: JobErasure.output($0), isDone: $0.integer(4) == JobState.done.rawValue) }
  }

  private static func output(_ row: Row) -> JobOutput {
    JobOutput(name: "", path: row.text(0) ?? "", sha256: row.text(1) ?? "", byteCount: row.integer(2) ?? 0, sidecar: row.text(3))
  }

  public func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedRows {
    for row in try transaction.query("SELECT name, spec FROM job_schedule") {
      let spec = try? JobSpec(json: JSONParser.parse(Array((row.text(1) ?? "").utf8), source: JSONSource("schedule")))
      if spec?.project == project { try transaction.execute("DELETE FROM job_schedule WHERE name = $1", [row[0]]) }
    }
    // What was submitted since the others were stopped.
    try store.cancelAll(of: project, in: transaction)
    // Whoever tries a job again that waited for one of these must not wait for ever.
    let unmet = "FROM job_dependency d JOIN job r ON r.id = d.requires WHERE r.project = $1 AND r.state <> 5"
    try transaction.execute(
      """
      UPDATE job SET waiting = waiting - (SELECT count(*) \(unmet) AND d.job = job.id) \
      WHERE project <> $1 AND id IN (SELECT d.job \(unmet))
      """, [.text(project)])
    // The jobs first: who holds one of them is waited for, and has then recorded all outputs that it will.
    let jobs = try transaction.query("DELETE FROM job WHERE project = $1 RETURNING id", [.text(project)])
    var late: [Published] = []
    for row in jobs {
      late += try transaction.query("DELETE FROM job_output WHERE job = $1 RETURNING path, sha256, bytes, sidecar", [row[0]])
        .map { Published(output: JobErasure.output($0), isDone: false) }
      try transaction.execute("DELETE FROM job_dependency WHERE job = $1 OR requires = $1", [row[0]])
    }
    return ErasedRows(jobs: Int64(jobs.count)) { [self, late] in
      ErasedThings(files: try remove(late, of: project, while: { true }).files)
    }
  }
}
