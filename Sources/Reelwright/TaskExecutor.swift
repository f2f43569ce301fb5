public import MediaCore
public import MediaTasks
public import Sandbox

/// Runs media tasks: in sealed worker processes by default, or in this process for whoever trusts the input.
///
/// Both ways take the same tasks and files and give the same results. Safe to use from any thread; tasks run side by side.
public final class TaskExecutor: Sendable {
  /// Where a task runs.
  public enum Isolation: Sendable {
    /// In a worker process that can reach nothing other than the files it is given (default).
    case process
    /// On the calling thread. A damaged file may crash the program, a hostile one may take it over.
    case inProcess
  }

  public let isolation: Isolation
  private let pool: WorkerPool

  /// - Parameters:
  ///   - isolation: where tasks run. Default: worker processes.
  ///   - worker: how worker processes are started.
  public init(isolation: Isolation = .process, worker: WorkerConfiguration = WorkerConfiguration()) {
    self.isolation = isolation
    pool = WorkerPool(worker)
  }

  /// Starts what makes the first task quick. Only worth calling ahead of need.
  public func warmUp() throws(MediaError) {
    if isolation == .process { try pool.warmUp() }
  }

  /// Runs a task to its end; blocking.
  ///
  /// - Returns: its result, and what held the worker back; nil in process.
  /// - Throws: what the task throws, and the errors of `WorkerPool.run`.
  public func run<Task: MediaTask>(
    _ task: Task, in context: TaskContext
  ) throws(MediaError) -> (result: Task.Result, isolation: IsolationReport?) {
    if isolation == .inProcess { return (try task.run(in: context), nil) }
    let outcome = try pool.run(
      kind: Task.kind, payload: try TaskCoding.encode(task), files: context.files, limits: context.limits, threads: context.threads,
      keepsStatistics: task.keepsStatistics, cancellation: context.cancellation, progress: { context.progress?($0) })
    return (try TaskCoding.decode(Task.Result.self, from: outcome.bytes), outcome.isolation)
  }
}
