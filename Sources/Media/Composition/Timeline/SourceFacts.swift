public import MediaCore

/// What a timeline must know about a media file.
public struct SourceFacts: Sendable {
  /// From the first to the end of the last frame.
  public var duration: MediaTime
  /// The start of frames in presentation order, relative to the first frame, for those that trims name by number.
  public var frameTimes: [Int: MediaTime]
  /// Whether there is sound.
  public var hasAudio: Bool

  public init(duration: MediaTime, frameTimes: [Int: MediaTime] = [:], hasAudio: Bool = false) {
    self.duration = duration
    self.frameTimes = frameTimes
    self.hasAudio = hasAudio
  }
}

extension ReelDocument {
  /// The source frames that trims name by number, by file: what `SourceFacts.frameTimes` must hold.
  public var namedFrames: [String: Set<Int>] {
    var frames: [String: Set<Int>] = [:]
    func note(_ reference: MediaReference?, _ positions: TimePosition?...) {
      guard let reference else { return }
      for case .frame(let frame)? in positions { frames[reference.name, default: []].insert(frame) }
    }
    for clip in clips { note(clip.reference, clip.trimStart, clip.trimEnd) }
    for overlay in overlays { note(overlay.reference, overlay.trimStart, overlay.trimEnd) }
    return frames
  }
}
