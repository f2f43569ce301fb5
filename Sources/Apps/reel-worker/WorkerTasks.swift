import MediaCore
import MediaTasks
import Sandbox

/// The tasks of the worker program: everything that the registry knows.
enum WorkerTasks {
  @Sendable static func handle(_ task: WorkerTask) throws(MediaError) -> [UInt8] {
    var context = TaskContext(
      files: task.files, limits: task.limits, cancellation: task.cancellation, threads: task.threads, progress: task.progress)
    context.statisticsPath = WorkerService.statisticsPath
    return try TaskRegistry.run(kind: task.kind, payload: task.payload, context: context)
  }
}
