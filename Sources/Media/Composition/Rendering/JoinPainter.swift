import Encoding
import FFmpegBridge
import MediaCore
import Pipeline

/// Draws the frames of one join.
final class JoinPainter {
  private let easing: Easing
  private let renderer: TransitionRenderer

  init(_ item: TransitionItem, canvas: Canvas, color: ColorTags, inputs: RenderInputs) throws(MediaError) {
    var transition: Transition
    do throws(MediaError) {
      transition = try Transition(item.name)
    } catch {
      throw item.place.error(error.reason, advice: error.advice)
    }
    if let direction = item.direction { transition.direction = direction.degrees }
    if let softness = item.softness { transition.softness = softness.doubleValue }
    if let color = item.color { transition.color = Transition.Color(red: color.red, green: color.green, blue: color.blue) }
    if let center = item.center { transition.center = (center.x.doubleValue, center.y.doubleValue) }
    transition.seed = item.seed
    transition.expression = item.expression
    if let map = item.map { transition.map = try JoinPainter.map(map, canvas: canvas, inputs: inputs) }
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

extension TransitionDirection {
  /// Clockwise from the right.
  var degrees: Double {
    switch self {
    case .right: 0
    case .downRight: 45
    case .down: 90
    case .downLeft: 135
    case .left: 180
    case .upLeft: 225
    case .up: 270
    case .upRight: 315
    }
  }
}
