internal import Crypto
internal import Glibc
internal import MediaCore

/// Pauses that double from one attempt to the next, each a random part of its bound ("full jitter"), so that many
/// clients do not come back at the same moment.
struct Backoff {
  private var bound: Double
  private let maximum: Double

  init(firstSeconds: Double, maximumSeconds: Double = 30) {
    bound = firstSeconds
    maximum = maximumSeconds
  }

  /// Sleeps, waking early to throw `cancelled`.
  mutating func wait(atLeastSeconds: Double?, operation: String, cancellation: Cancellation?) throws(TransferError) {
    var rest = bound * Double(SecureRandom.uniform(below: 1001)) / 1000 + (atLeastSeconds ?? 0)
    bound = min(bound * 2, maximum)
    while rest > 0 {
      if cancellation?.isCancelled ?? false { throw TransferError(.cancelled, operation, reason: "cancelled") }
      let step = min(rest, 0.05)
      usleep(UInt32(step * 1_000_000))
      rest -= step
    }
  }
}
