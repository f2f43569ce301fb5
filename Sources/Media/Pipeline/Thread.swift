import Glibc
public import MediaCore

/// A thread that runs one function and can be joined from any thread, more than once.
public final class Thread: @unchecked Sendable {
  /// Nil once it was joined or detached.
  private var thread: NativeThread?
  private let state = Condition()

  /// Starts the thread.
  ///
  /// - Throws: `retryLater` when none can be had (a limit on processes); then `body` does not run.
  public init(_ body: @escaping @Sendable () -> Void) throws(MediaError) { thread = try NativeThread(body) }

  /// Waits until the function has returned.
  public func join() { take()?.join() }

  /// Gives up the right to join: the thread's resources go when its function returns. Call instead of `join`.
  public func detach() { take()?.detach() }

  private func take() -> NativeThread? {
    state.locked {
      defer { thread = nil }
      return thread
    }
  }
}
