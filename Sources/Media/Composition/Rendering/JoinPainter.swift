import FFmpegBridge
import MediaCore

/// Draws the frames of one join.
final class JoinPainter {
  private let easing: Easing
  private let blender = FrameBlender()

  init(_ item: TransitionItem, canvas: Canvas, color: ColorTags, inputs: RenderInputs) throws(MediaError) {
    guard item.name == "crossfade" else { throw RenderSupport.missing(item.place, "the transition \(item.name)") }
    easing = item.easing
  }

  func paint(_ a: VideoFrame, _ b: VideoFrame, progress: Double, into target: inout MutableFrame) throws(MediaError) {
    blender.crossfade(a, b, weight: easing.value(at: progress), into: &target)
  }
}
