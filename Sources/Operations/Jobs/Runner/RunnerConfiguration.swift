/// How a runner works. Every default suits one machine.
public struct RunnerConfiguration: Sendable {
  /// How many jobs of each class run at once. Default: 2 `cpu`, 1 `encode`, 4 `io`, 4 `net`.
  public var slots = ["cpu": 2, "encode": 1, "io": 4, "net": 4]
  /// What people see as the worker's name. Default the process number.
  public var name: String?
  /// Seconds without a sign of life after which others take a worker's jobs although its lock is still held: it is
  /// stopped, or its host is cut off. Default 30; with PostgreSQL across machines 4 is right.
  public var leaseSeconds = 30.0
  /// Seconds between signs of life. Default an eighth of the lease, at most 5.
  public var beatSeconds: Double?
  /// Seconds that a job may take to stop before it is killed. Default 10.
  public var graceSeconds = 10.0
  /// Folder for scratch folders and signs of presence; made with mode 0700. Default: beside a SQLite database; with
  /// PostgreSQL it must be given.
  public var folder: String?
  /// Fetches inputs and sends outputs that are `https://…`. Default none: a job that has such files fails.
  public var remote: RemoteFiles?
  /// Told of what happens. Called on the runner's threads; must be quick.
  public var onEvent: (@Sendable (RunnerEvent) -> Void)?
  /// Told before each step of an attempt. For measurements and for tests that kill the process there.
  public var onPhase: (@Sendable (RunnerPhase, JobID) -> Void)?

  public init() {}
}

/// The steps of an attempt.
public enum RunnerPhase: String, Sendable, CaseIterable {
  /// It has been claimed.
  case claim
  /// The handler is about to run.
  case run
  /// The outputs are written and about to be flushed.
  case fsync
  /// They are recorded and about to get their names.
  case link
  /// They stand there; the job is about to be marked done.
  case commit
}

/// What a runner tells its owner.
public enum RunnerEvent: Sendable {
  case started(worker: Int64)
  case claimed(JobID, kind: String, attempt: Int)
  /// An attempt has ended; `state` is where the job stands now, nil when it was taken over by another worker.
  case ended(JobID, kind: String, state: JobState?, failure: JobFailure?, seconds: Double)
  /// The jobs of a dead worker were taken.
  case recovered(worker: Int64, jobs: [JobID])
  /// The store failed; the runner goes on trying.
  case storeFailed(String)
  /// A drain ends although these are unfinished: no handler or no slot of this runner fits them, or they wait for such a
  /// job, for a paused one, or for one that has failed.
  case stranded([StrandedJobs])
  case stopping
  case stopped
}

/// When `Runner.run` returns by itself.
public enum RunnerGoal: Hashable, Sendable {
  /// Never: at `stop()` only.
  case stopped
  /// When nothing is left that this runner could run now or later. Paused jobs do not count, nor those for which it has no
  /// handler or no slots, nor what waits for any of these or for a job that has failed.
  case drained
  /// When one job has ended, or nothing is available.
  case one
}
