import Glibc

/// Wall and CPU seconds of this process since it was made; the wall clock is monotonic.
struct Stopwatch {
  private let wall = Stopwatch.seconds(CLOCK_MONOTONIC)
  private let cpu = Stopwatch.seconds(CLOCK_PROCESS_CPUTIME_ID)

  var timings: TaskReport.Timings {
    TaskReport.Timings(
      wallSeconds: Stopwatch.seconds(CLOCK_MONOTONIC) - wall, cpuSeconds: Stopwatch.seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu)
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
