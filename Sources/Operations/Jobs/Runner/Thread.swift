import Glibc

/// Waiting and the clock of the runner's threads.
enum Thread {
  static func sleep(microseconds: UInt32) { usleep(microseconds) }

  /// Microseconds of a clock that nobody sets and that stands still while the machine sleeps.
  static func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}
