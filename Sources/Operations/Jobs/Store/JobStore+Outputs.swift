import Storage

/// A file that an attempt publishes, as it is recorded before it appears.
public struct JobOutput: Hashable, Sendable {
  public var name: String
  public var path: String
  /// 64 hex digits.
  public var sha256: String
  public var byteCount: Int64
  /// The text of the sidecar beside it; nil for none.
  public var sidecar: String?
}

extension JobStore {
  /// Records what is about to be published. From here on a restarted job recognises these files as its own.
  func recordOutputs(_ claim: JobClaim, _ outputs: [JobOutput], result: [UInt8]) throws {
    try database.write(.powerSafe) { transaction in
      // The lock keeps a take-over from happening between this look and the commit.
      let lock = transaction.dialect == .postgresql ? " FOR UPDATE" : ""
      let owned = try transaction.query("SELECT 1 FROM job WHERE \(JobStore.ownership)\(lock)", claim.values)
      guard owned.count == 1 else { throw JobStore.fenced(claim, "publish the outputs of") }
      for output in outputs { try JobStore.insert(claim, output, result: result, in: transaction) }
    }
  }

  /// Runs `body` while nobody can take the job away: who does so afterwards sees what `body` has done. Throws `fenced`.
  func whileOwned<Result>(_ claim: JobClaim, _ body: () throws -> Result) throws -> Result {
    // Nothing is written; the store's write lock or the row's is what counts.
    try database.write(.crashSafe) { transaction in
      let lock = transaction.dialect == .postgresql ? " FOR UPDATE" : ""
      let owned = try transaction.query("SELECT 1 FROM job WHERE \(JobStore.ownership)\(lock)", claim.values)
      guard owned.count == 1 else { throw JobStore.fenced(claim, "publish the outputs of") }
      return try body()
    }
  }

  /// What earlier attempts of the job were about to publish, the latest attempt first, with its answer.
  func recordedOutputs(_ id: JobID) throws -> [(token: Int64, output: JobOutput, result: [UInt8])] {
    try database.read {
      try $0.query(
        "SELECT token, name, path, sha256, bytes, sidecar, result FROM job_output WHERE job = $1 ORDER BY token DESC, name",
        [.integer(id.rawValue)])
    }.map { row in
      (
        row.integer(0) ?? 0,
        JobOutput(
          name: row.text(1) ?? "", path: row.text(2) ?? "", sha256: row.text(3) ?? "", byteCount: row.integer(4) ?? 0,
          sidecar: row.text(5)), row.blob(6) ?? []
      )
    }
  }

  /// The outputs that a finished job has published.
  public func outputs(of id: JobID) throws -> [JobOutput] {
    guard let job = try job(id), job.state == .done else { return [] }
    var seen: Set<String> = []
    return try recordedOutputs(id).map(\.output).filter { seen.insert($0.name).inserted }.sorted { $0.name < $1.name }
  }

  /// Whether the claim still holds.
  func isOwned(_ claim: JobClaim) throws -> Bool {
    try database.read { try $0.integer("SELECT count(*) FROM job WHERE \(JobStore.ownership)", claim.values) } == 1
  }

  /// Replaces what was recorded by what stands there now.
  static func keepOutputs(_ claim: JobClaim, _ outputs: [JobOutput], in transaction: any Transaction) throws {
    try transaction.execute("DELETE FROM job_output WHERE job = $1", [.integer(claim.job.rawValue)])
    for output in outputs { try insert(claim, output, result: [], in: transaction) }
  }

  private static func insert(_ claim: JobClaim, _ output: JobOutput, result: [UInt8], in transaction: any Transaction) throws {
    try transaction.execute(
      """
      INSERT INTO job_output(job, token, name, path, sha256, bytes, sidecar, result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
      ON CONFLICT(job, token, name) DO NOTHING
      """,
      [
        .integer(claim.job.rawValue), .integer(claim.token), .text(output.name), .text(output.path), .text(output.sha256),
        .integer(output.byteCount), .text(output.sidecar), .blob(result),
      ])
  }

  /// Outputs that unfinished jobs were about to publish: the janitor looks whether their sidecars stand alone.
  func unfinishedOutputs() throws -> [JobOutput] {
    try database.read {
      try $0.query(
        """
        SELECT o.name, o.path, o.sha256, o.bytes, o.sidecar FROM job_output o JOIN job j ON j.id = o.job \
        WHERE j.state IN (6, 7) AND o.sidecar IS NOT NULL
        """)
    }.map { row in
      JobOutput(
        name: row.text(0) ?? "", path: row.text(1) ?? "", sha256: row.text(2) ?? "", byteCount: row.integer(3) ?? 0, sidecar: row.text(4))
    }
  }
}
