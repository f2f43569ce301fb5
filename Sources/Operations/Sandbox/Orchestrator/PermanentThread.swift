import MediaCore

/// One thread that lives as long as the process and does what others ask for, one thing at a time.
///
/// Workers are started from it because the kernel sends the parent-death signal when the *thread* that started a process
/// ends: a worker started from a passing thread would die with it.
final class PermanentThread: Sendable {
  /// The thread that starts every worker of this process.
  static let spawner = PermanentThread()

  private struct State {
    var pending: [@Sendable () -> Void] = []
    var isRunning = false
  }

  private let monitor = Monitor(State())

  private init() {}

  /// Runs `body` on the thread and waits for its result. Throws `retryLater` when the thread cannot be created.
  func perform<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws(MediaError) -> Result {
    let answer = Monitor<Result?>(nil)
    let monitor = self.monitor
    let mustStart = monitor.update { state in
      state.pending.append { answer.update { $0 = body() } }
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if mustStart {
      do throws(MediaError) {
        let thread = try NativeThread {
          while true {
            let next = monitor.wait { state in state.pending.isEmpty ? nil : state.pending.removeFirst() }
            next()
          }
        }
        thread.detach()
      } catch {
        monitor.update {
          $0.isRunning = false
          $0.pending.removeAll()
        }
        throw MediaError(.retryLater, "cannot start a worker process", reason: error.reason, advice: error.advice)
      }
    }
    return answer.wait { $0 }
  }
}
