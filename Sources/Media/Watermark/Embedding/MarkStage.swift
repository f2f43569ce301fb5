public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Adds a mark to the luma of every picture that passes. Put it last before the encoder, where pictures have their
/// final size. Use on one thread at a time.
///
/// Takes planar YUV and gray pictures of 8 to 15 bits in either range; throws `usage` for RGB and for pictures whose shorter
/// side is below `MarkEmbedder.leastSide`. Pictures are copied into pooled memory and marked there.
public final class MarkStage: Stage {
  private let key: WatermarkKey
  private let id: WatermarkID
  private let strength: MarkStrength
  private let segments: SegmentMark?
  private var sequences: [[Float]] = []
  private var segment = -1
  private var index = 0
  private var embedder: MarkEmbedder?
  private var pool: FramePool?
  /// Read ahead after the first picture.
  private var upcoming: VideoFrame?

  /// - Parameter segments: also marks which segment of which variant each picture belongs to; nil does not.
  public init(key: WatermarkKey, id: WatermarkID, strength: MarkStrength = MarkStrength(), segments: SegmentMark? = nil) {
    self.key = key
    self.id = id
    self.strength = strength
    self.segments = segments
    if segments != nil { sequences = SegmentMark.sequences(of: key) }
  }

  /// What was embedded so far.
  public var statistics: MarkEmbedder.Statistics { embedder?.statistics ?? MarkEmbedder.Statistics() }

  public func next(from upstream: any Source<VideoFrame>) throws(MediaError) -> VideoFrame? {
    let held = upcoming
    upcoming = nil
    var taken = held
    if taken == nil { taken = try upstream.next() }
    guard let frame = taken else { return nil }
    let format = frame.format
    guard !format.isRGB, format.isPlanar || format.isGray, (8...15).contains(format.bitDepth) else {
      throw MediaError(
        .usage, "cannot mark a picture", reason: "its samples are \(format.name)",
        advice: "mark planar YUV or gray pictures of 8 to 15 bits")
    }
    if embedder?.size != frame.size {
      embedder = try MarkEmbedder(key: key, id: id, size: frame.size, strength: strength)
      segment = -1
      if held == nil {
        upcoming = try upstream.next()
        if let upcoming, upcoming.size == frame.size, upcoming.format == format { look(at: upcoming) }
      }
    }
    if let segments {
      let current = segments.segment(ofPicture: index)
      if current != segment { embedder?.use(sequences[current % SegmentMark.positionCount], negated: segments.isSecond) }
      segment = current
      index += 1
    }
    if pool?.size != frame.size || pool?.format != format { pool = try FramePool(size: frame.size, format: format) }
    guard let embedder, let pool else { return frame }
    let copy = try pool.copy(of: frame)
    let plane = copy.rawPlane(0)
    if format.bitDepth == 8 {
      embedder.embed(plane.base, stride: plane.stride)
    } else {
      plane.base.withMemoryRebound(to: UInt16.self, capacity: plane.stride / 2 * plane.rowCount) {
        embedder.embed($0, stride: plane.stride / 2, depth: format.bitDepth)
      }
    }
    return copy.freeze(
      time: frame.time, duration: frame.duration, color: frame.color, sampleAspectRatio: frame.sampleAspectRatio,
      orientation: frame.orientation)
  }

  private func look(at frame: VideoFrame) {
    let plane = frame.rawPlane(0)
    if frame.format.bitDepth == 8 {
      embedder?.look(at: plane.base, stride: plane.stride)
    } else {
      plane.base.withMemoryRebound(to: UInt16.self, capacity: plane.stride / 2 * plane.rowCount) {
        embedder?.look(at: $0, stride: plane.stride / 2, depth: frame.format.bitDepth)
      }
    }
  }
}
