import FileAccess
import Glibc
import MediaCore
import Sandbox

struct SandboxCosts {
  /// A task that asks for nothing.
  private final class NoFiles: Files {
    func openInput(_ name: String) throws(MediaError) -> InputFile { throw none }
    func createOutput(_ name: String) throws(MediaError) -> OutputFile { throw none }
    func createScratch() throws(MediaError) -> Descriptor { throw none }
    private var none: MediaError { MediaError(.missing, "cannot open", reason: "there is nothing") }
  }

  let worker: String
  let rounds: Int

  func run() {
    var configuration = WorkerConfiguration()
    configuration.executable = worker
    let warm = WorkerPool(configuration)
    configuration.usesTemplate = false
    let cold = WorkerPool(configuration)
    job(warm)

    var empty: [Double] = []
    var coldJobs: [Double] = []
    var warmJobs: [Double] = []
    for _ in 0..<rounds {
      empty.append(milliseconds { runEmptyProgram() })
      coldJobs.append(milliseconds { job(cold) })
      warmJobs.append(milliseconds { job(warm) })
    }
    let values = [("emptyProgram", empty), ("coldJob", coldJobs), ("warmJob", warmJobs)].map { name, times in
      "\"\(name)\":{\"median\":\(quantile(times, 0.5)),\"p90\":\(quantile(times, 0.9))}"
    }
    print("{\"schema\":1,\"rounds\":\(rounds),\(values.joined(separator: ","))}")
  }

  /// No worker has a task of this kind: it seals itself, reads the task, answers with an error and ends.
  private func job(_ pool: WorkerPool) {
    do throws(MediaError) {
      _ = try pool.run(kind: "nothing", payload: [], files: NoFiles())
      fatalError("a task that does not exist was done")
    } catch {
      guard error.code == .usage else { fatalError("\(error)") }
    }
  }

  /// The worker program started by hand: it is linked, finds no socket and ends.
  private func runEmptyProgram() {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 3, "/dev/null", O_WRONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var processID = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(worker), nil]
    defer { free(arguments[0]) }
    guard posix_spawn(&processID, worker, &actions, nil, &arguments, environ) == 0 else { fatalError("cannot start \(worker)") }
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0, errno == EINTR {}
  }

  private func milliseconds(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let elapsed = clock.measure(body).components
    return Double(elapsed.seconds) * 1000 + Double(elapsed.attoseconds) / 1e15
  }

  private func quantile(_ values: [Double], _ part: Double) -> Double {
    let sorted = values.sorted()
    let value = sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    return (value * 100).rounded() / 100
  }
}
