public import MediaCore
import Synchronization

/// Counts what goes into a run and what comes out, so that a shortfall is an error and never a shorter file.
///
/// Every element is booked where it enters or leaves; an element that is left out on purpose (a duplicate dropped by a
/// rate change, a frame outside of a trim) is booked under its reason. Safe to call from any thread.
public final class Ledger: Sendable {
  private struct State {
    var counts: [String: Int64] = [:]
    var order: [String] = []
  }
  private let state = Mutex(State())

  public init() {}

  /// Adds `count` to the account called `name`.
  public func book(_ name: String, _ count: Int64 = 1) {
    state.withLock { state in
      if let old = state.counts[name] {
        state.counts[name] = old + count
      } else {
        state.counts[name] = count
        state.order.append(name)
      }
    }
  }

  public subscript(name: String) -> Int64 { state.withLock { $0.counts[name] ?? 0 } }

  /// All accounts in the order in which they were opened.
  public var accounts: [(name: String, count: Int64)] {
    state.withLock { state in state.order.map { ($0, state.counts[$0] ?? 0) } }
  }

  /// Throws `incomplete` unless the accounts of `given` add up to those of `taken`.
  public func reconcile(_ operation: String, given: [String], taken: [String]) throws(MediaError) {
    let left = given.reduce(0) { $0 + self[$1] }
    let right = taken.reduce(0) { $0 + self[$1] }
    if left != right {
      let list = { (names: [String]) in names.map { "\($0) \(self[$0])" }.joined(separator: " + ") }
      throw MediaError(.incomplete, operation, reason: "frames do not add up: \(list(given)) against \(list(taken))")
    }
  }
}
