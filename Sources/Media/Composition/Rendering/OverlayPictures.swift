import Encoding
import FFmpegBridge
import MediaCore
import Pipeline

/// The pictures of an overlay that moves by itself: a video or an animated image. Asked for in order; a step back or a leap opens it anew.
final class OverlayPictures {
  private let entry: RenderInputs.Entry
  private let stream: StreamInfo
  private let layer: Timeline.Layer
  /// Pictures a second of source time for one output frame each.
  private let rate: Rational
  private let isImage: Bool
  /// Output frames after which the source begins again; nil: it does not.
  private let pass: Int?
  private let wanted: PictureFormat?
  private var source: (any Source<VideoFrame>)?
  private var stop: () -> Void = {}
  private var upcoming = -1
  private var current: VideoFrame?
  /// Changes with the picture.
  private(set) var serial = 0

  /// - Parameter wanted: what opaque pictures are converted to while they are decoded; nil: they are handed out as they are.
  init(_ layer: Timeline.Layer, entry: RenderInputs.Entry, canvas: Canvas, wanted: PictureFormat?) throws(MediaError) {
    guard let stream = entry.video else {
      throw MediaError(.damaged, "cannot use \(entry.name)", path: entry.name, reason: "it has no picture")
    }
    self.entry = entry
    self.stream = stream
    self.layer = layer
    self.wanted = wanted
    rate = canvas.frameRate / layer.overlay.speed
    isImage = if case .image = layer.overlay.content { true } else { false }
    let range = isImage ? TimeRange(start: .zero, end: entry.facts.duration) : layer.source
    let length = (range.end ?? entry.facts.duration) - range.start
    pass = isImage || layer.overlay.loop ? max(1, Int((length.seconds * rate).rounded)) : nil
  }

  deinit { stop() }

  /// The picture at an output frame of the layer, counted from its first.
  func picture(at offset: Int) throws(MediaError) -> VideoFrame {
    let place = pass.map { offset % $0 } ?? offset
    if place != upcoming || source == nil { try open(at: place) }
    upcoming = place + 1
    let frame = try source?.next() ?? current
    guard let frame else {
      throw MediaError(.damaged, "cannot use \(entry.name)", path: entry.name, reason: "no picture of it could be decoded")
    }
    if let current, frame.sharesPixels(with: current) { return current }
    serial += 1
    current = frame
    return frame
  }

  private func open(at place: Int) throws(MediaError) {
    stop()
    stop = {}
    var range = TimeRange()
    if !isImage {
      range.start = entry.firstPicture + layer.source.start
      range.end = layer.source.end.map { entry.firstPicture + $0 }
    }
    // Pictures of an animation are drawn over those before them: it is decoded from its start.
    let skipped = isImage ? 0 : place
    let decode = try VideoDecodeSource(
      entry.input, stream: stream.index, range: range, skipping: MediaTime(Rational(Int64(skipped)) / rate), environment: entry.environment)
    let count = min(pass ?? .max, layer.frames.count) - skipped
    let rated = decode.through(FrameRateStage(rate: rate, first: Int64(skipped), count: Int64(max(1, count))))
    var chain: any Source<VideoFrame> = rated
    if let wanted { chain = chain.through(PictureConformer(wanted, environment: entry.environment)) }
    if !isImage {
      let queue = Queue(bounds: .init(elements: 4), upstream: chain)
      stop = { queue.stop() }
      chain = queue
    }
    source = chain
    for _ in skipped..<place { _ = try chain.next() }
  }
}
