import MediaCore
public import MediaTasks
import Pipeline

extension MediaTask {
  /// Runs the task on a thread of its own and waits for it without blocking the caller's.
  ///
  /// Cancelling the surrounding `Task` cancels the run, which then throws `MediaError.Code.cancelled`; nothing is published.
  /// Throws `retryLater` when no thread can be had. Outputs are complete but not yet published when this returns, as with the synchronous `run(in:)`.
  public func perform(in context: TaskContext) async throws -> Result {
    try await withTaskCancellationHandler {
      let outcome: Swift.Result<Result, MediaError> = await withCheckedContinuation { continuation in
        do throws(MediaError) {
          let thread = try Thread {
            do throws(MediaError) {
              continuation.resume(returning: .success(try self.run(in: context)))
            } catch {
              continuation.resume(returning: .failure(error))
            }
          }
          thread.detach()
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      return try outcome.get()
    } onCancel: {
      context.cancellation.cancel()
    }
  }
}
