import Encoding
import FFmpegBridge
import FileAccess
import MediaCore
import Pipeline

/// The pictures of one clip on the canvas, one for each of its output frames, in order.
///
/// Opened just before its first frame is needed and released after its last: what a render holds at once is two clips.
/// Decoding and scaling run ahead on threads of their own behind short queues.
final class ClipPictures {
  private let placed: Timeline.Placed
  private let fitter: CanvasFitter
  private var source: any Source<VideoFrame>
  private var stop: () -> Void = {}
  private var last: VideoFrame?
  private var fitted: VideoFrame?
  private var index = 0

  /// `frames` are the output frames to make, within the clip's.
  init(
    _ placed: Timeline.Placed, frames: Range<Int>, canvas: Canvas, color: ColorTags, inputs: RenderInputs, ledger: Ledger
  ) throws(MediaError) {
    self.placed = placed
    let first = frames.lowerBound - placed.frames.lowerBound
    index = first
    fitter = try CanvasFitter(placed.clip, canvas: canvas, color: color, frameCount: placed.frames.count)
    guard let reference = placed.clip.reference else {
      source = EmptySource()
      return
    }
    let entry = try inputs.entry(reference)
    guard let stream = entry.video else {
      throw MediaError(.damaged, "cannot use \(entry.input.displayName)", path: entry.input.displayName, reason: "it has no picture")
    }
    var range = TimeRange()
    if case .media = placed.clip.content {
      range.start = entry.firstPicture + placed.sourceStart
      range.end = placed.sourceEnd.map { entry.firstPicture + $0 }
    }
    // What a filter or a deinterlacer makes of a picture depends on those before it: then all from the clip's start are decoded.
    let isSelfContained = placed.clip.filter == nil && (stream.fieldOrder == .progressive || stream.fieldOrder == .unknown)
    let rate = canvas.frameRate / placed.clip.speed
    let skipped = isSelfContained ? first : 0
    let decode = try VideoDecodeSource(
      entry.input, stream: stream.index, range: range, skipping: MediaTime(Rational(Int64(skipped)) / rate),
      environment: entry.environment, ledger: ledger, threads: (1...2).contains(entry.environment.threads) ? 1 : nil)
    var chain: any Source<VideoFrame>
    if case .media = placed.clip.content {
      let rated = decode.through(
        FrameRateStage(rate: rate, first: Int64(skipped), count: Int64(first - skipped + frames.count), ledger: ledger))
      // Two clips are open in a transition: what waits in both is memory.
      let queue = Queue(bounds: .init(elements: 2), upstream: rated)
      stop = { queue.stop() }
      chain = queue
    } else {
      chain = decode
    }
    chain = chain.through(PictureConformer(fitter.wanted, environment: entry.environment))
    if let filter = placed.clip.filter { chain = chain.through(try FilterStage(filter, environment: entry.environment)) }
    source = chain
    guard case .media = placed.clip.content else { return }
    for _ in skipped..<first { last = try source.next() ?? last }
  }

  deinit { stop() }

  /// The picture of the next output frame.
  func next() throws(MediaError) -> VideoFrame {
    defer { index += 1 }
    var frame = last
    if let fresh = try source.next() { frame = fresh }
    // A source that ends early holds its last picture; one that never had any is an error.
    if let frame {
      if let last, let fitted, !fitter.moves, frame.sharesPixels(with: last) { return fitted }
      last = frame
      let result = try fitter.fit(frame, index: index)
      fitted = result
      return result
    }
    if placed.clip.reference != nil {
      throw MediaError(
        .damaged, "cannot use \(placed.clip.reference?.name ?? "a clip")", path: placed.clip.reference?.name,
        reason: "no picture of it could be decoded", advice: placed.clip.place.hint)
    }
    if let fitted { return fitted }
    let result = try fitter.colored()
    fitted = result
    return result
  }
}

/// Nothing: colour clips have no source.
private final class EmptySource: Source {
  func next() -> VideoFrame? { nil }
}
