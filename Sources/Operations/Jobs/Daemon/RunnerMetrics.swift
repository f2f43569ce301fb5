import Glibc
import Synchronization

/// Counts what a runner does, and writes it in the text format of Prometheus (version 0.0.4).
public final class RunnerMetrics: Sendable {
  private struct Counts {
    var claimed = 0
    var ended: [String: Int] = [:]
    var seconds = 0.0
    var recovered = 0
    var storeFailures = 0
  }

  private let counts = Mutex(Counts())
  private let startedAt = Double(JobClock.system.now()) / 1e6

  public init() {}

  /// For `RunnerConfiguration.onEvent`.
  public func record(_ event: RunnerEvent) {
    counts.withLock { counts in
      switch event {
      case .claimed: counts.claimed += 1
      case .ended(_, _, let state, _, let seconds):
        counts.ended[state?.name ?? "lost", default: 0] += 1
        counts.seconds += seconds
      case .recovered(_, let jobs): counts.recovered += jobs.count
      case .storeFailed: counts.storeFailures += 1
      case .started, .stranded, .stopping, .stopped: break
      }
    }
  }

  /// The metrics now. Asks the store how many jobs are in each state.
  public func text(_ runner: Runner) -> String {
    let counts = counts.withLock { $0 }
    var lines: [String] = []
    func add(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
      lines += samples.map { "\(name)\($0.labels) \($0.value)" }
    }
    add("reel_jobs_claimed_total", "counter", "Attempts begun.", [("", "\(counts.claimed)")])
    let states = JobState.allCases.map(\.name) + ["lost"]
    add(
      "reel_attempts_ended_total", "counter", "Attempts ended, by the state of the job after them.",
      states.map { ("{state=\"\($0)\"}", "\(counts.ended[$0] ?? 0)") })
    add("reel_attempt_seconds_total", "counter", "Seconds that attempts took.", [("", "\(counts.seconds)")])
    add("reel_jobs_recovered_total", "counter", "Jobs taken from dead workers.", [("", "\(counts.recovered)")])
    add("reel_store_failures_total", "counter", "Failures of the store; the worker went on trying.", [("", "\(counts.storeFailures)")])
    let used = runner.usedSlots
    let slots = runner.configuration.slots.sorted { $0.key < $1.key }
    add("reel_slots", "gauge", "Slots, by class.", slots.map { ("{class=\"\($0.key)\"}", "\($0.value)") })
    add("reel_slots_used", "gauge", "Slots in use, by class.", slots.map { ("{class=\"\($0.key)\"}", "\(used[$0.key] ?? 0)") })
    if let jobs = try? runner.store.counts() {
      add("reel_jobs", "gauge", "Jobs in the store, by state.", JobState.allCases.map { ("{state=\"\($0.name)\"}", "\(jobs[$0] ?? 0)") })
    }
    add("process_start_time_seconds", "gauge", "Start of the process since 1970.", [("", "\(startedAt)")])
    return lines.joined(separator: "\n") + "\n"
  }
}
