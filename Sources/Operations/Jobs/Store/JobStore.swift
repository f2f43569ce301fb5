public import Storage

/// The queue: every change of a job is one transaction on it. Works on either database; several processes (and, on
/// PostgreSQL, machines) may use it at once.
///
/// All calls block and may come from any thread; none may come from the cooperative pool.
public final class JobStore: Sendable {
  /// The bell that rings when there may be something to do.
  public static let bell = "jobs"

  public let database: any Database
  let clock: JobClock
  let recorder: (any JobRecorder)?

  /// Creates or migrates the tables.
  /// - Parameters:
  ///   - clock: where times come from. Default the machine's clock.
  ///   - recorder: what else is written in the transaction of each change: log and outbox rows. Default nothing.
  public init(database: any Database, clock: JobClock = .system, recorder: (any JobRecorder)? = nil) throws {
    self.database = database
    self.clock = clock
    self.recorder = recorder
    try database.migrate(module: JobsSchema.module, JobsSchema.migrations)
  }

  /// The jobs for reading: no table is made or migrated. What changes jobs must not be called.
  ///
  /// nil when there are no tables of jobs.
  /// - Throws: `StorageError` `olderSchema` or `newerSchema`.
  public init?(reading database: any Database, clock: JobClock = .system) throws {
    guard try database.hasSchema(module: JobsSchema.module, JobsSchema.migrations) else { return nil }
    self.database = database
    self.clock = clock
    recorder = nil
  }

  /// Runs `body` again while other processes keep the database busy, for about a minute: a command that a user gave must not
  /// fail because a worker is being held up. `body` has done nothing when the database was busy.
  public func patiently<Result>(_ body: () throws -> Result) throws -> Result {
    let end = Thread.monotonicMicroseconds() + 60_000_000
    while true {
      do {
        return try body()
      } catch let error as StorageError
        where (error.code == .busy || error.code == .conflict) && Thread.monotonicMicroseconds() < end
      {
        Thread.sleep(microseconds: 50_000)
      }
    }
  }

  /// Runs `body` again while the database asks for another try (a lost connection, a conflict), for about ten minutes:
  /// a server that restarts must not cost finished work. `body` must be safe to repeat after a commit whose answer was lost.
  func retrying<Result>(_ body: () throws -> Result) throws -> Result {
    var tries = 0
    while true {
      do {
        return try body()
      } catch let error as StorageError where (error.isRetriable || error.code == .full) && tries < 1500 {
        tries += 1
        Thread.sleep(microseconds: UInt32(min(400_000, 5000 << min(tries, 7))))
      }
    }
  }
}

/// Writes what else belongs to a change of state, in the same transaction: both are kept, or neither.
public protocol JobRecorder: AnyObject, Sendable {
  /// Called inside the transaction, before its commit. Throwing undoes the change.
  func record(_ transition: JobTransition, in transaction: any Transaction) throws

  /// Whether the jobs of `project` must stay although they are finished: a legal hold covers them. Default never.
  func isHeld(project: String, in transaction: any Transaction) throws -> Bool
}

extension JobRecorder {
  public func isHeld(project: String, in transaction: any Transaction) throws -> Bool { false }
}

/// A change of a job's state.
public struct JobTransition: Hashable, Sendable {
  public var job: JobID
  public var kind: String
  public var project: String
  public var name: String?
  /// nil when it was submitted.
  public var from: JobState?
  public var to: JobState
  public var attempt: Int
  public var crashCount: Int
  /// Microseconds since 1970.
  public var at: Int64
  /// The failure's stable code; never its message.
  public var failureCode: String?
  /// When the attempt began, for its duration.
  public var startedAt: Int64?
}
