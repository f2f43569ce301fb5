import Synchronization

/// A flag that stops a run. Set from any thread or from a signal handler's thread; looked at once a frame and by
/// FFmpeg's interrupt callback.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Throws `MediaError.cancelled` once `cancel()` has been called.
  public func check(_ operation: String) throws(MediaError) {
    if isCancelled {
      throw MediaError(.cancelled, operation, reason: "cancelled")
    }
  }
}
