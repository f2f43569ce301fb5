public import FileAccess
public import MediaCore

/// What a handler in the worker process is given.
public struct WorkerTask: Sendable {
  public let kind: String
  public let payload: [UInt8]
  public let limits: Limits
  /// Threads that the task may use for its codecs; at least 1.
  public let threads: Int
  /// Opens files by logical name, through the orchestrator.
  public let files: any Files
  /// Set when the orchestrator asks to stop.
  public let cancellation: Cancellation
  /// Reports progress; calls closer than 30 ms to the one before are left out, except for the last of a stage.
  public let progress: @Sendable (Progress) -> Void
  /// Adds a line to the log of the result; cut at 60 KiB.
  public let log: @Sendable (String) -> Void
  /// What is in force in this process.
  public let isolation: IsolationReport
}
