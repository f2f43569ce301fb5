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
  /// A path under which encoders may keep the statistics of two passes, in memory; nil, the default: in a folder of their own for
  /// temporary files.
  public var statisticsPath: String?
  /// Where readers book what they take from the input; nil: nowhere.
  public var use: InputUse?

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

  /// The refusal for what libav has complained about in its own words: more pixels or streams than the limits that it was told; nil when it
  /// has not.
  func refusal(_ operation: String, path: String) -> MediaError? {
    for line in diagnostics.lines {
      let words = line.split(separator: " ")
      if line.contains("exceeds max_streams") {
        return limits.refusal(operation, path: path, name: "streams", found: limits.streams + 1, of: "or more streams")
      }
      guard let place = words.firstIndex(of: "size"), place > 0, words[place - 1] == "Picture", place + 1 < words.count else { continue }
      let sides = words[place + 1].split(separator: "x").compactMap { Int64($0) }
      guard sides.count == 2 else { continue }
      let (pixels, isTooMuch) = sides[0].multipliedReportingOverflow(by: sides[1])
      if isTooMuch || pixels > limits.pixelsPerFrame {
        return limits.refusal(
          operation, path: path, name: "pixels", found: isTooMuch ? Int64.max : pixels, of: "pixels a frame (\(words[place + 1]))")
      }
    }
    return nil
  }
}
