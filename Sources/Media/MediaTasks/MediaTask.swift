import FFmpegBridge
public import FileAccess
public import MediaCore

/// A piece of work as a value: what to read, what to do, what to write. The same value runs on the command line, inside a
/// program, in the sandboxed worker and as a job.
///
/// Inputs and outputs are logical names; whoever runs the task supplies them as `Files`. Running is synchronous and may
/// take long; call it on a thread of your own.
public protocol MediaTask: Codable, Sendable {
  associatedtype Result: Codable & Sendable

  /// The name under which jobs and the worker know this kind of work: `"encode"`.
  static var kind: String { get }

  /// Does the work. Outputs are complete but not yet published when it returns.
  func run(in context: TaskContext) throws(MediaError) -> Result

  /// Whether encoders of this task keep statistics between two passes, for which an isolated process needs memory. Default no.
  var keepsStatistics: Bool { get }
}

extension MediaTask {
  public var keepsStatistics: Bool { false }
}

/// What a task is run with.
public struct TaskContext: Sendable {
  public var files: any Files
  public var limits: Limits
  public var cancellation: Cancellation
  /// Threads that codecs may use. Fixed by whoever starts the task, so that results do not depend on the machine.
  public var threads: Int
  /// A path under which encoders may keep the statistics of two passes, in memory; nil: in a folder of their own for temporary files.
  public var statisticsPath: String?
  /// Called at most ten times a second, on a thread of the task.
  public var progress: (@Sendable (Progress) -> Void)?

  /// Defaults: the default limits, two threads, no progress.
  public init(
    files: any Files, limits: Limits = Limits(), cancellation: Cancellation = Cancellation(), threads: Int = 2,
    progress: (@Sendable (Progress) -> Void)? = nil
  ) {
    self.files = files
    self.limits = limits
    self.cancellation = cancellation
    self.threads = max(1, threads)
    self.progress = progress
  }

  /// A fresh environment for one input of the task.
  func environment(diagnostics: Diagnostics = Diagnostics()) -> MediaEnvironment {
    var environment = MediaEnvironment(limits: limits, cancellation: cancellation, diagnostics: diagnostics, threads: threads)
    environment.statisticsPath = statisticsPath
    return environment
  }
}
