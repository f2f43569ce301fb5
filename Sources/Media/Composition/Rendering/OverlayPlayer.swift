import Encoding
import FFmpegBridge
import MediaCore
import Pipeline
import Text

/// Draws one overlay on the frames in which it shows.
final class OverlayPlayer {
  private let layer: Timeline.Layer
  private let content: Content
  /// At rest and not turned.
  private let size: FrameSize
  private let x: Int
  private let y: Int
  private let frameRate: Rational
  private let color: ColorTags
  /// What was drawn last; most overlays rest most of the time.
  private var drawn: (key: Key, image: OverlayImage)?

  /// What is drawn, kept to be drawn in other sizes.
  private enum Content {
    case picture(VideoFrame, MediaEnvironment)
    case moving(OverlayPictures, MediaEnvironment, isOpaque: Bool)
    case label(String, TextStyle, TextRenderer)
    /// A text of which nothing is visible.
    case nothing
  }

  private struct Key: Equatable {
    var serial: Int
    var size: FrameSize
    var rotation: Double
  }

  init(_ layer: Timeline.Layer, canvas: Canvas, color: ColorTags, inputs: RenderInputs, text: DocumentText?) throws(MediaError) {
    let overlay = layer.overlay
    if case .text(let label, let style) = overlay.content {
      if let renderer = try text?.renderer(), let bitmap = renderer.drawLabel(label, style: style) {
        content = .label(label, style, renderer)
        size = bitmap.size
      } else {
        content = .nothing
        size = FrameSize(1, 1)
      }
    } else {
      guard let reference = overlay.reference else { throw MediaError(.bug, "cannot draw an overlay", reason: "it has no file") }
      let entry = try inputs.entry(reference)
      guard let stream = entry.video else {
        throw MediaError(.damaged, "cannot use \(reference.name)", path: reference.name, reason: "it has no picture")
      }
      let isTurned = stream.orientation.swapsSides
      let upright = PictureConformer.size(
        stored: isTurned ? stream.size.transposed : stream.size, sampleAspectRatio: stream.sampleAspectRatio, isTurned: isTurned,
        wanted: PictureFormat())
      size = OverlayPlayer.size(of: overlay, picture: upright, canvas: canvas)
      if entry.isStill {
        let source = try VideoDecodeSource(entry.input, environment: entry.environment)
        guard let picture = try source.next() else {
          throw MediaError(.damaged, "cannot use \(reference.name)", path: reference.name, reason: "it holds no picture")
        }
        content = .picture(picture, entry.environment)
      } else {
        let isOpaque = stream.pixelFormat.map { !$0.hasAlpha } ?? false
        var wanted = PictureFormat()
        wanted.size = size
        wanted.color = color
        content = .moving(
          try OverlayPictures(layer, entry: entry, canvas: canvas, wanted: isOpaque ? wanted : nil), entry.environment, isOpaque: isOpaque)
      }
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
    var moved: VideoFrame?
    if case .moving(let pictures, _, let isOpaque) = content {
      let picture = try pictures.picture(at: index - layer.frames.lowerBound)
      // A video at rest is copied in the canvas' own layout.
      if isOpaque, state.isAtRest, state.rotation == 0, state.opacity == 1 {
        blender.place(picture, x: Int(left.rounded()), y: Int(top.rounded()), into: &frame)
        return
      }
      moved = picture
    }
    guard state.opacity > 0, let image = try image(state, moved) else { return }
    // Grows, shrinks and turns around its middle.
    blender.overlay(
      image, x: Int((left + Double(size.width - image.size.width) / 2).rounded()),
      y: Int((top + Double(size.height - image.size.height) / 2).rounded()), opacity: state.opacity, into: &frame)
  }

  /// The overlay in the size and rotation of a state.
  private func image(_ state: OverlayState, _ moved: VideoFrame?) throws(MediaError) -> OverlayImage? {
    let scaled = FrameSize(
      max(1, Int((Double(size.width) * state.scale).rounded())), max(1, Int((Double(size.height) * state.scale).rounded())))
    var key = Key(serial: 0, size: scaled, rotation: state.rotation)
    var picture: RGBAPicture
    switch content {
    case .nothing: return nil
    case .picture(let frame, let environment):
      if let drawn, drawn.key == key { return drawn.image }
      picture = RGBAPicture(size: scaled, bytes: try StillImage.rgba(frame, size: scaled, environment: environment))
    case .moving(let pictures, let environment, _):
      key.serial = pictures.serial
      if let drawn, drawn.key == key { return drawn.image }
      guard let moved else { return nil }
      picture = RGBAPicture(size: scaled, bytes: try StillImage.rgba(moved, size: scaled, environment: environment))
    case .label(let label, var style, let renderer):
      if let drawn, drawn.key == key { return drawn.image }
      if state.scale != 1 { style.size = style.size * MediaTime(seconds: state.scale).seconds }
      guard let bitmap = renderer.drawLabel(label, style: style) else { return nil }
      picture = RGBAPicture(size: bitmap.size, bytes: bitmap.rgba)
    }
    if state.rotation != 0 { picture = picture.rotated(degrees: state.rotation) }
    let image = OverlayImage(rgba: picture.bytes, size: picture.size, tags: color)
    drawn = (key, image)
    return image
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
