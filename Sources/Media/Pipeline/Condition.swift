import Glibc

/// A mutex with one condition variable; the smallest thing that a bounded queue needs.
///
/// Not reentrant. `Synchronization.Mutex` has no way to wait, hence pthreads.
public final class Condition: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let variable: UnsafeMutablePointer<pthread_cond_t>

  public init() {
    mutex = .allocate(capacity: 1)
    variable = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(variable, nil)
  }

  deinit {
    pthread_cond_destroy(variable)
    pthread_mutex_destroy(mutex)
    variable.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` with the lock held.
  public func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Gives the lock up until another thread calls `wakeAll()`. Only inside `locked`; wake-ups may be spurious.
  public func wait() { pthread_cond_wait(variable, mutex) }

  /// Wakes every waiting thread.
  public func wakeAll() { pthread_cond_broadcast(variable) }
}
