import Glibc

/// A POSIX thread that runs one function; its owner joins or detaches it, once.
///
/// Own threads instead of `Task` or Dispatch: much of this code also runs in the sandboxed worker, where both trap, and media
/// work blocks for long, which the cooperative pool must not.
public struct NativeThread: Sendable {
  private let handle: pthread_t

  private final class Start: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts a thread with `stackBytes` of stack (address space only, until it is touched; default 8 MiB).
  ///
  /// - Throws: when no thread can be had; then `body` does not run. `retryLater` for a limit on processes and threads, `refused` for one on
  ///   memory.
  public init(stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void) throws(MediaError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    let start = Unmanaged.passRetained(Start(body))
    var made = pthread_t()
    let failure = pthread_create(
      &made, &attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    guard failure == 0 else {
      start.release()
      // EAGAIN stands for both.
      let isMemory = failure == ENOMEM || !NativeThread.hasRoom(forStackBytes: stackBytes)
      throw MediaError(
        isMemory ? .refused : .retryLater, "cannot start a thread", reason: String(cString: strerror(isMemory ? ENOMEM : failure)),
        advice: isMemory
          ? "raise the limit on memory: --limit memory=MIB, or ulimit -v where there is no worker process" : NativeThread.limitAdvice)
    }
    handle = made
  }

  /// Whether there is address space for one more stack.
  public static func hasRoom(forStackBytes bytes: Int = 8 << 20) -> Bool {
    let stack = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)
    guard let stack, stack != MAP_FAILED else { return false }
    munmap(stack, bytes)
    return true
  }

  /// What to do when a limit on threads keeps one from starting.
  public static let limitAdvice = "raise the limit on processes and threads (ulimit -u, TasksMax= of the service), or give --threads 1"

  /// Waits until the function has returned.
  public func join() { pthread_join(handle, nil) }

  /// Gives up the right to join: the thread's resources go when its function returns.
  public func detach() { pthread_detach(handle) }
}
