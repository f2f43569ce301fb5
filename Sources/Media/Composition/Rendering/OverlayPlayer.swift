import FFmpegBridge
import MediaCore
import Pipeline

/// Draws one overlay on the frames in which it shows.
final class OverlayPlayer {
  private let layer: Timeline.Layer
  private let image: OverlayImage
  private let x: Int
  private let y: Int
  private let frameRate: Rational

  /// - Throws: `unavailable` for kinds of overlays that cannot be drawn yet.
  init(_ layer: Timeline.Layer, canvas: Canvas, color: ColorTags, inputs: RenderInputs) throws(MediaError) {
    let overlay = layer.overlay
    guard case .image(let reference) = overlay.content else {
      throw RenderSupport.missing(overlay.place, "overlays other than images")
    }
    guard overlay.rotation == .zero, overlay.animationIn == .none, overlay.animationOut == .none else {
      throw RenderSupport.missing(overlay.place, "rotated or animated overlays")
    }
    let entry = try inputs.entry(reference)
    let source = try VideoDecodeSource(entry.input, environment: entry.environment)
    guard let picture = try source.next() else {
      throw MediaError(.damaged, "cannot use \(reference.name)", path: reference.name, reason: "it holds no picture")
    }
    let size = OverlayPlayer.size(of: overlay, picture: picture.size, canvas: canvas)
    image = OverlayImage(rgba: try StillImage.rgba(picture, size: size, environment: entry.environment), size: size, tags: color)
    let point = overlay.anchor.point
    x = OverlayPlayer.place(point.x, canvas.width, size.width, overlay.marginX.pixels(of: canvas.width))
    y = OverlayPlayer.place(point.y, canvas.height, size.height, overlay.marginY.pixels(of: canvas.height))
    self.layer = layer
    frameRate = canvas.frameRate
  }

  var frames: Range<Int> { layer.frames }

  func draw(on frame: inout MutableFrame, index: Int, blender: FrameBlender) {
    let into = Rational(Int64(index - layer.frames.lowerBound)) / frameRate
    let left = Rational(Int64(layer.frames.upperBound - index)) / frameRate
    var opacity = layer.overlay.opacity.doubleValue
    if layer.overlay.fadeIn.seconds.isPositive { opacity *= min(1, (into / layer.overlay.fadeIn.seconds).doubleValue) }
    if layer.overlay.fadeOut.seconds.isPositive { opacity *= min(1, (left / layer.overlay.fadeOut.seconds).doubleValue) }
    blender.overlay(image, x: x, y: y, opacity: opacity, into: &frame)
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
