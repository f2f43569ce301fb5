import FFmpegBridge
import MediaCore
import Pipeline

/// The pictures of a document in output order: clips, joined by transitions, under overlays.
///
/// A frame that is one clip's picture and carries no overlay passes by reference. Clips are opened when their first frame
/// is near and closed after their last.
final class RenderSource: Source {
  private let timeline: Timeline
  private let canvas: Canvas
  private let color: ColorTags
  private let inputs: RenderInputs
  private let ledger: Ledger
  private let blender = FrameBlender()
  private let pool: FramePool
  private var joins: [Int: JoinPainter] = [:]
  private let overlays: [OverlayPlayer]
  private let text: DocumentText?
  private let range: Range<Int>
  private var open: [Int: ClipPictures] = [:]
  private var nextClip: Int
  private var index: Int

  /// How many frames before its first one a clip is opened, so that its decoder has a start.
  private static let headStart = 6

  /// - Parameter frames: which output frames to make. Default all.
  init(
    _ document: ReelDocument, timeline: Timeline, frames: Range<Int>? = nil, color: ColorTags, inputs: RenderInputs, text: DocumentText?,
    ledger: Ledger
  ) throws(MediaError) {
    let range = frames ?? 0..<timeline.frameCount
    self.timeline = timeline
    self.text = text
    canvas = document.canvas
    self.color = color
    self.inputs = inputs
    self.ledger = ledger
    pool = try FramePool(size: document.canvas.size, format: .yuv420p)
    for (index, join) in timeline.joins.enumerated() where join.frames.overlaps(range) {
      joins[index] = try JoinPainter(join.transition, canvas: document.canvas, color: color, inputs: inputs)
    }
    var overlays: [OverlayPlayer] = []
    for layer in timeline.layers where layer.frames.overlaps(range) {
      overlays.append(try OverlayPlayer(layer, canvas: document.canvas, color: color, inputs: inputs, text: text))
    }
    self.overlays = overlays
    self.range = range
    index = range.lowerBound
    nextClip = timeline.clips.firstIndex { $0.frames.upperBound > range.lowerBound } ?? timeline.clips.count
  }

  /// Plane buffers allocated for composed frames; constant in steady state.
  var allocations: Int64 { pool.allocations }

  func next() throws(MediaError) -> VideoFrame? {
    guard index < range.upperBound else { return nil }
    defer { index += 1 }
    while nextClip < timeline.clips.count, timeline.clips[nextClip].frames.lowerBound <= index + RenderSource.headStart,
      timeline.clips[nextClip].frames.lowerBound < range.upperBound
    {
      let clip = timeline.clips[nextClip]
      open[nextClip] = try ClipPictures(
        clip, frames: clip.frames.clamped(to: range), canvas: canvas, color: color, inputs: inputs, ledger: ledger)
      nextClip += 1
    }
    var frame: VideoFrame
    switch timeline.composite(at: index) {
    case .single(let picture): frame = try pictures(picture.clip).next()
    case .joined(let a, let b, let join, let progress):
      let (first, second) = (try pictures(a.clip).next(), try pictures(b.clip).next())
      var target = try pool.frame()
      try joins[join]?.paint(first, second, progress: progress.doubleValue, into: &target)
      frame = target.freeze(time: .zero, duration: .zero, color: color)
      ledger.book("inTransitions")
    }
    let shown = overlays.filter { $0.frames.contains(index) }
    let hasCaption = try text?.hasCaption(at: index) ?? false
    if !shown.isEmpty || hasCaption {
      var target = try pool.copy(of: frame)
      for overlay in shown { try overlay.draw(on: &target, index: index, blender: blender) }
      if hasCaption { try text?.drawCaption(at: index, on: &target, blender: blender) }
      frame = target.freeze(time: .zero, duration: .zero, color: color)
    }
    for clip in open.keys where timeline.clips[clip].frames.upperBound <= index + 1 { open[clip] = nil }
    ledger.book("composed")
    return frame.at(timeline.time(ofFrame: index), duration: timeline.time(ofFrame: index + 1) - timeline.time(ofFrame: index))
  }

  private func pictures(_ clip: Int) throws(MediaError) -> ClipPictures {
    guard let pictures = open[clip] else { throw MediaError(.bug, "cannot render", reason: "clip \(clip) is not open at frame \(index)") }
    return pictures
  }
}
