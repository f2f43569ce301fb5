/// How worker processes are started and held.
public struct WorkerConfiguration: Sendable {
  /// The worker program. Default nil: the environment variable `REELWRIGHT_WORKER`, then `reel-worker` in the folder of
  /// the running program, then in `../libexec/reelwright` of that folder.
  public var executable: String?
  /// A program, with its arguments, that starts the worker in its turn, as `["/usr/bin/setpriv", "--reuid", "65534"]`.
  /// Default none.
  public var launcher: [String] = []
  /// Arguments of the worker program. Default none; `reel-worker` takes none.
  public var arguments: [String] = []
  /// Variables of the worker's environment besides the few that it needs to start. Nothing else is inherited, so
  /// no secret of this process is in it.
  public var environment: [String: String] = [:]
  /// The highest Landlock ABI to use. Default nil: what the kernel has. For tests of older kernels.
  public var landlockABILimit: Int?
  /// Descriptors that a worker may have open at once. Default 1024.
  public var openFiles: Int64 = 1024
  /// Processor seconds that one task may use. Default 0: no limit (the limit `wall` holds in any case).
  public var cpuSeconds: Int64 = 0
  /// Seconds between the request to cancel and the kill. Default 5.
  public var cancelGraceSeconds: Double = 5
  /// Whether workers are forked from a template process that has done the dynamic linking (default), which makes every
  /// job after the first start in a few milliseconds. A template never sees a task or a file.
  public var usesTemplate = true

  public init() {}
}
