public import Storage

/// A part of the system that keeps things of a project: the job store, the outputs under management.
public protocol ErasureParticipant: Sendable {
  /// What there is of `project` now: what a legal hold keeps is counted so. Changes nothing.
  func count(of project: String) throws -> ErasedThings

  /// Ends, within a transaction, all that could still make files of `project`. Called before its files are removed, and not at
  /// all while a legal hold covers the project. Default: nothing does.
  func stop(_ project: String, in transaction: any Transaction) throws

  /// Removes everything of `project` that is outside the database: files, sidecars. May be called again after a crash;
  /// what is gone already is no error. Called before the rows that name the files are removed, and not at all while a
  /// legal hold covers the project. Throws when it cannot tell what a file is: then no row has gone.
  /// - Parameter mayGo: asked before each file; false once a legal hold covers the project.
  /// - Returns: the files that went and those that stay; no jobs.
  func removeFiles(of project: String, while mayGo: () throws -> Bool) throws -> ErasedThings

  /// Removes the rows of `project`, in the transaction that also erases the log's, and before that does.
  func removeRows(of project: String, in transaction: any Transaction) throws -> ErasedRows
}

extension ErasureParticipant {
  public func stop(_ project: String, in transaction: any Transaction) throws {}
}

/// The rows of a project that a participant has removed.
public struct ErasedRows {
  public var jobs: Int64
  /// Called once the transaction is committed: removes the files which the rows named and which have appeared since
  /// `removeFiles` looked. Returns those that went.
  public var removeLateFiles: () throws -> ErasedThings

  /// - Parameter removeLateFiles: default none.
  public init(jobs: Int64, removeLateFiles: @escaping () throws -> ErasedThings = { ErasedThings() }) {
    self.jobs = jobs
    self.removeLateFiles = removeLateFiles
  }
}

/// What an erasure met beside events. Every default 0.
public struct ErasedThings: Hashable, Sendable {
  public var jobs: Int64 = 0
  /// Outputs, sidecars, and copies of inputs that were fetched.
  public var files: Int64 = 0
  /// Outputs that were published once and are not touched: what has their name now is another file, or another project's
  /// too, or they were sent to another host.
  public var leftFiles: Int64 = 0
  /// Outputs of finished jobs that are not where they were published: renamed or removed since, also by an erasure that was
  /// interrupted, or on the disk of another machine.
  public var missingFiles: Int64 = 0

  public init(jobs: Int64 = 0, files: Int64 = 0, leftFiles: Int64 = 0, missingFiles: Int64 = 0) {
    self.jobs = jobs
    self.files = files
    self.leftFiles = leftFiles
    self.missingFiles = missingFiles
  }

  static func + (a: Self, b: Self) -> Self {
    Self(
      jobs: a.jobs + b.jobs, files: a.files + b.files, leftFiles: a.leftFiles + b.leftFiles,
      missingFiles: a.missingFiles + b.missingFiles)
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
