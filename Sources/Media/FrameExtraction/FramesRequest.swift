public import FFmpegBridge
public import MediaCore

/// What to extract from one file, and with how much of the machine.
public struct FramesRequest: Sendable, Hashable {
  public var selection: FrameSelection
  /// Default exact.
  public var tolerance: FrameTolerance
  /// Threads that decode. Default 0: one per processor. The frames are the same for every number.
  public var workers: Int
  /// Whether a frame in which the decoder had to conceal damage is delivered; default false: it becomes an error.
  public var allowsDamagedFrames: Bool

  public init(
    _ selection: FrameSelection, tolerance: FrameTolerance = .exact, workers: Int = 0, allowsDamagedFrames: Bool = false
  ) {
    self.selection = selection
    self.tolerance = tolerance
    self.workers = workers
    self.allowsDamagedFrames = allowsDamagedFrames
  }
}

/// One frame of a result, as decoded: stored orientation, stored colours.
public struct ExtractedFrame: Sendable {
  /// Which item of the request this is, 0 first.
  public let index: Int
  /// The time that was asked for; nil where the selection names none (keyframes, ranges).
  public let requested: MediaTime?
  public let frame: VideoFrame
  public let placement: FramePlacement

  /// When the frame is shown.
  public var actual: MediaTime { frame.time }
}

/// Where a requested time lies.
public enum FramePlacement: String, Sendable, Hashable {
  case inside
  /// Before the first frame, which was taken.
  case beforeStart
  /// After the end of the last frame, which was taken.
  case beyondEnd
}

/// What became of one item of a request.
public struct FrameResult<Output: Sendable>: Sendable {
  public let index: Int
  public let requested: MediaTime?
  /// When the frame is shown; nil when there is none.
  public let actual: MediaTime?
  public let placement: FramePlacement
  public let output: Result<Output, MediaError>
}

/// How much work a request took. Free of noise: tests and benchmarks compare these.
public struct ExtractionCounters: Sendable, Hashable, Codable {
  /// Packets of the video stream that were read.
  public var packetsRead = 0
  /// Packets that were given to a decoder.
  public var packetsDecoded = 0
  /// Packets that were read and left out.
  public var packetsSkipped = 0
  /// Results delivered with a frame.
  public var framesOutput = 0
  public var seeks = 0
  /// Runs of a decoder from a keyframe on.
  public var gops = 0
  /// Runs that had to be repeated with every packet because a frame did not come out or was damaged.
  public var retries = 0
  public var bytesRead: Int64 = 0

  public init() {}

  static func += (a: inout ExtractionCounters, b: ExtractionCounters) {
    a.packetsRead += b.packetsRead
    a.packetsDecoded += b.packetsDecoded
    a.packetsSkipped += b.packetsSkipped
    a.framesOutput += b.framesOutput
    a.seeks += b.seeks
    a.gops += b.gops
    a.retries += b.retries
    a.bytesRead += b.bytesRead
  }
}
