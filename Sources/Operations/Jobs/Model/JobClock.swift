import Glibc
import Synchronization

/// Where a store and a runner take the time from.
public struct JobClock: Sendable {
  /// Microseconds since 1970.
  public let now: @Sendable () -> Int64

  public init(now: @escaping @Sendable () -> Int64) { self.now = now }

  /// The machine's real-time clock.
  public static let system = JobClock {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// A clock that moves when it is told to. For tests of schedules, retries and time-outs.
public final class ManualClock: Sendable {
  private let microseconds: Atomic<Int64>

  /// - Parameter microseconds: since 1970. Default 2026-01-01 00:00:00 UTC, a Thursday.
  public init(_ microseconds: Int64 = 1_767_225_600_000_000) { self.microseconds = Atomic(microseconds) }

  public func advance(seconds: Double) { microseconds.add(Int64(seconds * 1e6), ordering: .relaxed) }

  public var now: Int64 { microseconds.load(ordering: .relaxed) }

  public var clock: JobClock { JobClock { self.now } }
}
