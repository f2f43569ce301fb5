import FileAccess
public import MediaCore

/// What every part of one run shares: its limits, its cancel flag, where FFmpeg's log lines and the damage found go.
public struct MediaEnvironment: Sendable {
  public var limits: Limits
  public var cancellation: Cancellation
  public var diagnostics: Diagnostics
  public var damage: DamageLog
  /// Threads that a codec may use; 0 means one per processor.
  public var threads: Int
  /// Whether a failed read in mid-file ends the input, booked as a reason why it is incomplete, instead of the run.
  /// Default off.
  public var keepsIncomplete = false

  public init(
    limits: Limits = Limits(), cancellation: Cancellation = Cancellation(), diagnostics: Diagnostics = Diagnostics(),
    damage: DamageLog = DamageLog(), threads: Int = 0
  ) {
    self.limits = limits
    self.cancellation = cancellation
    self.diagnostics = diagnostics
    self.damage = damage
    self.threads = threads
  }

  /// The same run with another place for damage: one per input, so that a report can tell them apart.
  public func noting(in damage: DamageLog) -> MediaEnvironment {
    var copy = self
    copy.damage = damage
    return copy
  }

  /// Throws when a frame lies beyond the limit on an input's duration.
  func checkDuration(_ time: MediaTime, of input: InputFile) throws(MediaError) {
    guard time.doubleValue > Double(limits.durationSeconds) else { return }
    throw limits.refusal(
      "cannot read \(input.displayName)", path: input.displayName, name: "duration", found: Int64(time.doubleValue.rounded(.up)),
      of: "seconds")
  }
}
