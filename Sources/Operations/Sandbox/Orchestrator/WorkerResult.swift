/// What a task in a worker process came to.
public struct WorkerResult: Sendable {
  /// What the task returned.
  public var bytes: [UInt8]
  /// What was in force while it ran.
  public var isolation: IsolationReport
  /// Lines that the task and its libraries logged; at most 1000.
  public var log: [String]
  /// Processor time of the worker process in seconds, its start included.
  public var cpuSeconds: Double
  /// Most memory that the worker had resident at once.
  public var peakResidentBytes: Int64
}
