import Encoding
import FFmpegBridge
import Glibc
import MediaCore
import Pipeline

/// Puts upright pictures of any shape onto the canvas: cover, contain, blur-fill, Ken Burns.
final class CanvasFitter {
  /// What the conformer before makes of each picture.
  let wanted: PictureFormat
  /// Whether the window moves, so that equal pictures give different results.
  let moves: Bool
  private let clip: Clip
  private let canvas: Canvas
  private let color: ColorTags
  private let frameCount: Int
  private let blender = FrameBlender()
  private let pool: FramePool
  private var ground: Scaler?
  private var blur: Scaler?

  init(_ clip: Clip, canvas: Canvas, color: ColorTags, frameCount: Int) throws(MediaError) {
    self.clip = clip
    self.canvas = canvas
    self.color = color
    self.frameCount = frameCount
    moves = clip.kenBurns != nil
    var wanted = PictureFormat()
    wanted.color = color
    switch (clip.fit, clip.kenBurns) {
    case (.cover, let move):
      wanted.crops = true
      // A moving window is cut out of a larger picture, so that the closest view still has a sample a pixel.
      let zoom = move.map { max($0.from.zoom, $0.to.zoom) } ?? Rational(1)
      wanted.size = FrameSize(CanvasFitter.even(canvas.width, zoom), CanvasFitter.even(canvas.height, zoom))
    case (.contain, _), (.blurFill, _):
      wanted.bounds = canvas.size
    }
    self.wanted = wanted
    pool = try FramePool(size: canvas.size, format: .yuv420p)
  }

  private static func even(_ side: Int, _ zoom: Rational) -> Int {
    Int((Rational(Int64(side)) * min(zoom, Rational(3)) / Rational(2)).rounded) * 2
  }

  private func code(_ color: ReelColor) -> CodeColor {
    CodeColor(red: color.red, green: color.green, blue: color.blue, tags: self.color)
  }

  /// The picture on the canvas, at output frame `index` of the clip.
  func fit(_ frame: VideoFrame, index: Int) throws(MediaError) -> VideoFrame {
    var frame = frame
    if frame.size != canvas.size && (clip.fit != .cover || clip.kenBurns == nil) { frame = try surround(frame) }
    guard let move = clip.kenBurns else { return frame }
    var target = try pool.frame()
    try blender.resample(frame, window: window(move, of: frame.size, index: index), into: &target)
    return target.freeze(time: .zero, duration: .zero, color: color)
  }

  /// A canvas of one colour.
  func colored() throws(MediaError) -> VideoFrame {
    guard case .color(let value) = clip.content else {
      throw MediaError(.bug, "cannot draw a clip", reason: "it is no colour")
    }
    var target = try pool.frame()
    blender.fill(code(value), into: &target)
    return target.freeze(time: .zero, duration: .zero, color: color)
  }

  private func window(_ move: KenBurns, of size: FrameSize, index: Int) -> SampleWindow {
    let time = frameCount > 1 ? Double(index) / Double(frameCount - 1) : 0
    let part = move.easing.value(at: time)
    func between(_ a: Rational, _ b: Rational) -> Double { a.doubleValue + (b.doubleValue - a.doubleValue) * part }
    let zoom = max(1, between(move.from.zoom, move.to.zoom))
    let (width, height) = (Double(size.width) / zoom, Double(size.height) / zoom)
    func inside(_ center: Double, _ side: Int, _ extent: Double) -> Double {
      min(max(center * Double(side) - extent / 2, 0), Double(side) - extent)
    }
    return SampleWindow(
      x: inside(between(move.from.x, move.to.x), size.width, width), y: inside(between(move.from.y, move.to.y), size.height, height),
      width: width, height: height)
  }

  /// `frame` in the middle of the canvas, over the background colour or over itself, enlarged and blurred.
  private func surround(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    var target = try pool.frame()
    if clip.fit == .blurFill {
      let back = try blurred(frame)
      blender.copy(back, into: &target)
    } else {
      blender.fill(code(clip.background ?? canvas.background), into: &target)
    }
    let x = (canvas.width - frame.size.width) / 4 * 2
    let y = (canvas.height - frame.size.height) / 4 * 2
    for plane in 0..<3 {
      let (from, to) = (frame.rawPlane(plane), target.rawPlane(plane))
      let shift = plane == 0 ? 0 : 1
      for row in 0..<min(from.rowCount, to.rowCount - (y >> shift)) {
        memcpy(to.base + (row + (y >> shift)) * to.stride + (x >> shift), from.base + row * from.stride, min(from.rowBytes, to.rowBytes))
      }
    }
    return target.freeze(time: frame.time, duration: frame.duration, color: color)
  }

  /// Filling the canvas through a very small picture is a blur that costs next to nothing.
  private func blurred(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    if blur == nil {
      let small = FrameSize(max(8, canvas.width / 48 * 2), max(8, canvas.height / 48 * 2))
      blur = try Scaler(size: small, format: .yuv420p, color: color, filter: .area)
      ground = try Scaler(size: canvas.size, format: .yuv420p, color: color, filter: .bicubic)
    }
    let tiny = try blur!.scale(frame.cropped(toShapeOf: canvas.size))
    return try ground!.scale(tiny)
  }
}
