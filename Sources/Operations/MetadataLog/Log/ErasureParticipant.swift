public import Storage

/// A part of the system that keeps things of a project: the job store, the outputs under management.
public protocol ErasureParticipant: Sendable {
  /// What there is of `project` now: what a legal hold keeps is counted so. Changes nothing.
  func count(of project: String) throws -> ErasedThings

  /// Removes everything of `project` that is outside the database: files, sidecars. May be called again after a crash;
  /// what is gone already is no error. Called before the rows that name the files are removed, and not at all while a
  /// legal hold covers the project.
  /// - Returns: the files that went and those that stay; no jobs.
  func removeFiles(of project: String) throws -> ErasedThings

  /// Removes the rows of `project`, in the transaction that also erases the log's.
  /// - Returns: the jobs that went; no files.
  func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedThings
}

/// What an erasure met beside events. Every default 0.
public struct ErasedThings: Hashable, Sendable {
  public var jobs: Int64 = 0
  /// Outputs, sidecars, and copies of inputs that were fetched.
  public var files: Int64 = 0
  /// Outputs that were published once and are not touched: what has their name now is another file, or they were sent to
  /// another host.
  public var leftFiles: Int64 = 0

  public init(jobs: Int64 = 0, files: Int64 = 0, leftFiles: Int64 = 0) {
    self.jobs = jobs
    self.files = files
    self.leftFiles = leftFiles
  }

  static func + (a: Self, b: Self) -> Self {
    Self(jobs: a.jobs + b.jobs, files: a.files + b.files, leftFiles: a.leftFiles + b.leftFiles)
  }
}

/// What an erasure did. Every default 0.
public struct ErasureReport: Hashable, Sendable {
  /// Events that are gone.
  public var events: Int64 = 0
  /// Events that a legal hold keeps.
  public var heldEvents: Int64 = 0
  /// Jobs and files that are gone.
  public var gone = ErasedThings()
  /// Jobs and files that a legal hold keeps.
  public var held = ErasedThings()

  public init() {}
}
