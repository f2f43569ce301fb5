import DatabaseTestSupport
import Glibc
import Testing

private let isStorm = getenv("REELWRIGHT_STORM").map { String(cString: $0) } == "1"

/// Workers die at every step, many times; nothing is lost, doubled, torn or left behind. No time is asserted: the
/// printed recovery times are for the reader.
@Suite(.serialized) struct KillStormTests {
  @Test(arguments: StoreKind.installed) func everythingIsDoneOnce(_ kind: StoreKind) throws {
    let outcome = try KillStorm(kind, seed: 7).run(jobs: 40, kills: 25, seconds: 90)
    #expect(outcome.problems.isEmpty, "\(outcome.problems)")
    #expect(outcome.totalKills >= 10)
  }

  /// Seeded by REELWRIGHT_STORM_SEED, as long as REELWRIGHT_STORM_KILLS says; default 600 deaths and stops a store, with
  /// REELWRIGHT_STORM_WORKERS (4) beside one that renders, on REELWRIGHT_STORM_STORE only, where that is set.
  @Test(.enabled(if: isStorm, "set REELWRIGHT_STORM=1"), arguments: StoreKind.installed) func longStorm(_ kind: StoreKind) throws {
    func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
    if let only = getenv("REELWRIGHT_STORM_STORE"), String(cString: only) != kind.rawValue { return }
    let kills = number("REELWRIGHT_STORM_KILLS") ?? 600
    let storm = try KillStorm(kind, seed: UInt64(number("REELWRIGHT_STORM_SEED") ?? 1))
    let outcome = try storm.run(
      jobs: 200, kills: kills, seconds: number("REELWRIGHT_STORM_SECONDS") ?? 110, workers: number("REELWRIGHT_STORM_WORKERS") ?? 4)
    #expect(outcome.problems.isEmpty, "\(outcome.problems.prefix(20))")
    // How many deaths fit into the time depends on the machine; a storm they were.
    #expect(outcome.totalKills + outcome.stops >= min(kills, 20), "\(outcome.totalKills) of \(kills) deaths in the time given")
    let phases = outcome.kills.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print(
      """
      storm \(kind): \(outcome.totalKills) kills (\(phases)), \(outcome.stops) stops, \(outcome.renders) renders; \
      recovery p50 \(outcome.recovery(0.5)) ms, p99 \(outcome.recovery(0.99)) ms, longest \(outcome.recovery(1)) ms of \
      \(outcome.recoveries.count); beside a stopped writer \(outcome.stalled.count), longest \(outcome.stalled.last ?? 0) ms
      """)
  }
}
