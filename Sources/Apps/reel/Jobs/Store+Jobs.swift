import CommandLayer
import Reelwright

extension Store {
  /// The job store of the command line's database, made where it is missing; every change of a job is an event of the log,
  /// in one transaction.
  static func jobs(_ invocation: Invocation) throws -> JobStore { try recording(database(invocation)) }

  /// The same for a command that changes jobs that are there; nil when the default store has not been made yet.
  static func existingJobs(_ invocation: Invocation) throws -> JobStore? { try existingDatabase(invocation).map(recording) }

  /// The jobs for reading, which needs no key and leaves the store as it is; nil when there have never been any.
  static func readableJobs(_ invocation: Invocation) throws -> JobStore? {
    try existingDatabase(invocation).flatMap { try JobStore(reading: $0) }
  }

  private static func recording(_ database: any Database) throws -> JobStore {
    try JobStore(database: database, recorder: JobEvents(log: log(database)))
  }
}
