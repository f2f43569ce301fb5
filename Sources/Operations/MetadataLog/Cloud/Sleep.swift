internal import Glibc
internal import MediaCore

enum Sleep {
  /// Sleeps, waking early when `cancellation` is set.
  static func seconds(_ seconds: Double, cancellation: Cancellation?) {
    var rest = seconds
    while rest > 0, !(cancellation?.isCancelled ?? false) {
      let part = min(rest, 0.05)
      usleep(UInt32(part * 1_000_000))
      rest -= part
    }
  }
}
