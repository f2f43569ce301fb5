import Glibc
import MediaCore

/// A thread that runs one function and can be joined from any thread, more than once.
public final class Thread: @unchecked Sendable {
  /// Nil once it was joined or detached, or when the function ran on the thread that asked.
  private var thread: NativeThread?
  private let state = Condition()

  /// Starts the thread. When none can be had (a process limit) the work is done here, which is slower but right.
  public init(_ body: @escaping @Sendable () -> Void) {
    thread = try? NativeThread(body)
    if thread == nil { body() }
  }

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
