internal import CSystem
import MediaCore

/// Sends progress over the socket, not more often than anybody looks at it.
final class ProgressReporter: Sendable {
  private static let intervalNanoseconds: Int64 = 30_000_000

  private let channel: WorkerChannel
  private let nextTime = Monitor(Int64(0))

  init(_ channel: WorkerChannel) { self.channel = channel }

  func report(_ progress: Progress) {
    let now = rw_monotonic_nanoseconds()
    let isDue = nextTime.update { next in
      guard now >= next || progress.done == 1 else { return false }
      next = now + Self.intervalNanoseconds
      return true
    }
    if isDue { channel.send(.progress, progress.wireBody) }
  }
}
