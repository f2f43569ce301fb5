import DurabilityShim
import Glibc
import Jobs
import Storage
import StormSupport

/// `storm-worker record FOLDER JOURNAL COUNT`: enqueues and runs jobs with outputs while every write is recorded, and
/// marks what has been acknowledged.
enum Recording {
  static func run(folder: String, journal: String, count: Int) throws {
    guard durability_record(journal) >= 0 else { throw StorageError(.io, "cannot record", reason: String(cString: strerror(errno))) }
    let store = try JobStore(database: SQLiteDatabase(path: folder + "/state/jobs.sqlite"))
    mkdir(folder + "/out", 0o700)
    durability_mark("begin")
    var configuration = RunnerConfiguration()
    configuration.slots = ["cpu": 2]
    configuration.onEvent = { event in
      if case .ended(let id, _, .done?, _, _) = event { durability_mark("done \(id)") }
    }
    var handlers = JobHandlers()
    StormWorker.registerPlain(&handlers, nil)
    // In two rounds, so that the second one starts on a log that has been used.
    for round in 0..<2 {
      for index in 0..<count {
        var spec = JobSpec(kind: "write")
        spec.outputs = ["out": "\(folder)/out/\(round)-\(index)"]
        let id = try store.submit(spec).id
        durability_mark("submitted \(id)")
      }
      try Runner(store: store, handlers: handlers, configuration: configuration).run(until: .drained)
    }
  }
}
