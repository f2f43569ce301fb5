public import MediaCore

/// Which frames are wanted. Times lie on the presentation timeline: edit lists applied, 0 is the start of the file.
public enum FrameSelection: Sendable, Hashable, Codable {
  /// The frame shown at each time (the last one that starts at or before it), or the n-th frame.
  case positions([TimePosition])
  /// The frame shown at 0, `interval`, 2 × `interval` … before the end.
  case every(MediaTime)
  /// The frames shown in the middle of `count` equal parts of the duration.
  case uniform(count: Int)
  /// Every frame that starts within the range.
  case range(TimeRange)
  /// Every keyframe.
  case keyframes
  /// The first frame of every scene after the first: those whose difference to the frame before reaches `threshold`,
  /// 0...1 on the scale of FFmpeg's `scene` value.
  case sceneChanges(threshold: Double)
  /// The last frame.
  case last
  /// For each time, the sharpest frame that is not black among those that start within `window` before or after it.
  case sharpest([MediaTime], window: MediaTime)

  /// The threshold of `--scenes`: 0.3, what FFmpeg's documentation suggests (0.3 to 0.5).
  public static let defaultSceneThreshold = 0.3
  /// Half a second.
  public static let defaultSharpestWindow = MediaTime(Rational(1, 2))
}

/// How far from the wanted time a frame may lie, in exchange for less work.
public enum FrameTolerance: Sendable, Hashable, Codable {
  /// The frame shown at the time itself.
  case exact
  /// The last keyframe at or before the time, however far.
  case keyframe
  /// The nearest keyframe, where one lies within this distance; else the exact frame.
  case within(MediaTime)
}
