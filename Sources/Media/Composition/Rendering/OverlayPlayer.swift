import FFmpegBridge
import MediaCore
import Pipeline
import Text

/// Draws one overlay on the frames in which it shows.
final class OverlayPlayer {
  private let layer: Timeline.Layer
  private let content: Content
  private let size: FrameSize
  private let image: OverlayImage
  private let x: Int
  private let y: Int
  private let frameRate: Rational
  private let color: ColorTags

  /// What is drawn, kept to be drawn in other sizes.
  private enum Content {
    case picture(VideoFrame, MediaEnvironment)
    case label(String, TextStyle, TextRenderer)
    /// A text of which nothing is visible.
    case nothing
  }

  /// - Throws: `unavailable` for kinds of overlays that cannot be drawn yet.
  init(_ layer: Timeline.Layer, canvas: Canvas, color: ColorTags, inputs: RenderInputs, text: DocumentText?) throws(MediaError) {
    let overlay = layer.overlay
    guard overlay.rotation == .zero else { throw RenderSupport.missing(overlay.place, "rotated overlays") }
    switch overlay.content {
    case .media: throw RenderSupport.missing(overlay.place, "overlays other than images and texts")
    case .text(let label, let style):
      guard let renderer = try text?.renderer(), let bitmap = renderer.drawLabel(label, style: style) else {
        content = .nothing
        size = FrameSize(1, 1)
        image = OverlayImage(rgba: [0, 0, 0, 0], size: size, tags: color)
        break
      }
      content = .label(label, style, renderer)
      size = bitmap.size
      image = OverlayImage(rgba: bitmap.rgba, size: bitmap.size, tags: color)
    case .image(let reference):
      let entry = try inputs.entry(reference)
      let source = try VideoDecodeSource(entry.input, environment: entry.environment)
      guard let picture = try source.next() else {
        throw MediaError(.damaged, "cannot use \(reference.name)", path: reference.name, reason: "it holds no picture")
      }
      size = OverlayPlayer.size(of: overlay, picture: picture.size, canvas: canvas)
      image = OverlayImage(rgba: try StillImage.rgba(picture, size: size, environment: entry.environment), size: size, tags: color)
      content = .picture(picture, entry.environment)
    }
    let point = overlay.anchor.point
    x = OverlayPlayer.place(point.x, canvas.width, size.width, overlay.marginX.pixels(of: canvas.width))
    y = OverlayPlayer.place(point.y, canvas.height, size.height, overlay.marginY.pixels(of: canvas.height))
    self.layer = layer
    self.color = color
    frameRate = canvas.frameRate
  }

  var frames: Range<Int> { layer.frames }

  func draw(on frame: inout MutableFrame, index: Int, blender: FrameBlender) throws(MediaError) {
    let state = layer.state(at: index, frameRate: frameRate)
    let left = Double(x) + state.offsetX * Double(size.width)
    let top = Double(y) + state.offsetY * Double(size.height)
    if state.scale == 1 {
      blender.overlay(image, x: Int(left.rounded()), y: Int(top.rounded()), opacity: state.opacity, into: &frame)
      return
    }
    // Grows and shrinks around its middle.
    let scaled = FrameSize(
      max(1, Int((Double(size.width) * state.scale).rounded())), max(1, Int((Double(size.height) * state.scale).rounded())))
    guard let drawn = try scaledImage(scaled, by: state.scale) else { return }
    blender.overlay(
      drawn, x: Int((left + Double(size.width - drawn.size.width) / 2).rounded()),
      y: Int((top + Double(size.height - drawn.size.height) / 2).rounded()), opacity: state.opacity, into: &frame)
  }

  private func scaledImage(_ scaled: FrameSize, by scale: Double) throws(MediaError) -> OverlayImage? {
    switch content {
    case .nothing: return nil
    case .picture(let picture, let environment):
      return OverlayImage(rgba: try StillImage.rgba(picture, size: scaled, environment: environment), size: scaled, tags: color)
    case .label(let label, var style, let renderer):
      style.size = style.size * MediaTime(seconds: scale).seconds
      guard let bitmap = renderer.drawLabel(label, style: style) else { return nil }
      return OverlayImage(rgba: bitmap.rgba, size: bitmap.size, tags: color)
    }
  }

  private static func size(of overlay: Overlay, picture: FrameSize, canvas: Canvas) -> FrameSize {
    let shape = Double(picture.width) / Double(max(1, picture.height))
    let width = overlay.width.map { $0.pixels(of: canvas.width) }
    let height = overlay.height.map { $0.pixels(of: canvas.height) }
    switch (width, height) {
    case (let width?, let height?): return FrameSize(max(1, width), max(1, height))
    case (let width?, nil): return FrameSize(max(1, width), max(1, Int((Double(width) / shape).rounded())))
    case (nil, let height?): return FrameSize(max(1, Int((Double(height) * shape).rounded())), max(1, height))
    case (nil, nil): return picture
    }
  }

  /// Corner of something `extent` long that is anchored at fraction `point` of `side`, `margin` away from the edges.
  private static func place(_ point: Rational, _ side: Int, _ extent: Int, _ margin: Int) -> Int {
    if point == .zero { return margin }
    if point == Rational(1) { return side - extent - margin }
    return (side - extent) / 2
  }
}
