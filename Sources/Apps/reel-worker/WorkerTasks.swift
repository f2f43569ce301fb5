import MediaCore
import Sandbox

/// The tasks of the worker program.
enum WorkerTasks {
  @Sendable static func handle(_ task: WorkerTask) throws(MediaError) -> [UInt8] {
    throw MediaError(
      .unavailable, "cannot \(task.kind)", reason: "this worker has no task called \(task.kind)", advice: "update reel-worker")
  }
}
