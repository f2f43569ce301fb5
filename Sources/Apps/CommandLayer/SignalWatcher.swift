import Glibc
public import MediaCore
import Synchronization

/// Turns the first SIGINT or SIGTERM into a cancellation and lets a later one kill.
///
/// One that comes within half a second of the first is the same request: `timeout` and service managers signal a process
/// and then its group, so that one request arrives twice.
///
/// The signals are blocked in the calling thread, and thereby in all threads and worker processes that it starts
/// later, and taken one at a time by a thread of its own. A worker that shares the terminal's process group is so
/// cancelled through its task and not by the keyboard.
public final class SignalWatcher: Sendable {
  private let received = Atomic<Int32>(0)
  private let cancellation: Cancellation

  /// Call on the main thread before any other thread starts.
  ///
  /// - Throws: `retryLater` when no thread can be had: without it a signal would go unheard, so nothing is to be started at all.
  public init(cancelling cancellation: Cancellation) throws(MediaError) {
    self.cancellation = cancellation
    var signals = SignalWatcher.watched
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    // A reader of our output or a worker that went away, or a limit on the size of files, is reported as a failed write, not as a death.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    try NativeThread { self.watch() }.detach()
  }

  /// The first signal that came; nil while there was none.
  public var signalReceived: Int32? {
    let number = received.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  private static var watched: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    return signals
  }

  private static let sameRequestMilliseconds = 500

  private static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private func watch() {
    var signals = SignalWatcher.watched
    var number: Int32 = 0
    sigwait(&signals, &number)
    received.store(number, ordering: .releasing)
    cancellation.cancel()
    let first = SignalWatcher.milliseconds()
    repeat { sigwait(&signals, &number) } while SignalWatcher.milliseconds() - first < SignalWatcher.sameRequestMilliseconds
    signal(number, SIG_DFL)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    pthread_kill(pthread_self(), number)
  }
}
