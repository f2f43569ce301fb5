import Glibc

/// A pthread that runs one function and can be joined once.
///
/// Own threads instead of `Task` or Dispatch: this code also runs in the sandboxed worker, where both trap, and media
/// work blocks for long, which the cooperative pool must not.
public final class Thread: @unchecked Sendable {
  private var handle = pthread_t()
  private let state = Condition()
  private var isJoined = false

  /// Starts the thread.
  public init(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Body(run: body))
    let status = pthread_create(
      &handle, nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    if status != 0 {
      // No thread can be had (a process limit): do the work here, which is slower but right.
      box.takeRetainedValue().run()
      isJoined = true
    }
  }

  /// Waits until the function has returned. Safe to call from any one thread, more than once.
  public func join() {
    let mustJoin = state.locked {
      defer { isJoined = true }
      return !isJoined
    }
    if mustJoin { pthread_join(handle, nil) }
  }

  /// Gives up the right to join: the thread's resources go when its function returns. Call instead of `join`.
  public func detach() {
    let mustDetach = state.locked {
      defer { isJoined = true }
      return !isJoined
    }
    if mustDetach { pthread_detach(handle) }
  }

  private final class Body: @unchecked Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
