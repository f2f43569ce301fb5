import Encoding
import FFmpegBridge
import MediaCore
import Pipeline

/// Draws the frames of one join.
final class JoinPainter {
  private let easing: Easing
  private let renderer: TransitionRenderer

  init(_ item: TransitionItem, canvas: Canvas, color: ColorTags, inputs: RenderInputs) throws(MediaError) {
    var map: TransitionMap?
    if let reference = item.map { map = try JoinPainter.map(reference, canvas: canvas, inputs: inputs) }
    let transition = try Transition(item, map: map)
    do throws(MediaError) {
      renderer = try TransitionRenderer(transition, size: canvas.size, format: .yuv420p, tags: color)
    } catch {
      throw error.code == .usage ? item.place.error(error.reason, advice: error.advice) : error
    }
    easing = item.easing
  }

  func paint(_ a: VideoFrame, _ b: VideoFrame, progress: Double, into target: inout MutableFrame) throws(MediaError) {
    try renderer.render(a, b, progress: easing.value(at: progress), into: &target)
  }

  private static func map(_ reference: MediaReference, canvas: Canvas, inputs: RenderInputs) throws(MediaError) -> TransitionMap {
    let entry = try inputs.entry(reference)
    var wanted = PictureFormat()
    wanted.size = canvas.size
    wanted.format = .gray8
    wanted.range = .full
    let source = try VideoDecodeSource(entry.input, environment: entry.environment)
    guard let frame = try source.through(PictureConformer(wanted, environment: entry.environment)).next() else {
      throw MediaError(.damaged, "cannot use \(reference.name)", path: reference.name, reason: "it holds no picture")
    }
    return TransitionMap(frame)
  }
}
