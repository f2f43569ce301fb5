import CommandLayer
import Reelwright

extension Store {
  /// The job store of the command line's database; every change of a job is an event of the log, in one transaction.
  static func jobs(_ invocation: Invocation) throws -> JobStore {
    let database = try database(invocation)
    return try JobStore(database: database, recorder: JobEvents(log: log(database)))
  }
}
