import Jobs
import Synchronization

/// Collects ids from many threads.
final class Seen: Sendable {
  private let list = Mutex<[JobID]>([])

  func add(_ ids: [JobID]) { list.withLock { $0 += ids } }

  var ids: [JobID] { list.withLock { $0 } }
}
