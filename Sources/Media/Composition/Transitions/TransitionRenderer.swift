internal import CKernels
public import FFmpegBridge
internal import Glibc
public import MediaCore

/// Draws the frames of one transition: two 4:2:0 frames in, one out.
///
/// Masks are prepared when the renderer is made or first used; a frame then costs one pass over the samples. Samples that
/// the front has not reached, or has passed, are copied. One thread at a time.
public final class TransitionRenderer {
  public let transition: Transition
  public let size: FrameSize
  public let format: PixelFormat
  let method: TransitionMethod
  private let isXFade: Bool
  let blender = FrameBlender()
  let tags: ColorTags
  let depth: Int32
  var field: [Int16] = []
  /// The recipe that `field` was made for is fixed; only its softness in field units is kept.
  var fieldScale = 0.0
  private let pool: FramePool
  private var expression: SampleExpression?
  private var colored: VideoFrame?
  private var mask: [UInt8] = []

  /// - Parameter tags: the colour tags of the frames, resolved; they decide the code values of colours.
  /// - Throws: `usage` when a parameter that the transition cannot do without is missing or wrong, `unavailable` when the
  ///   format is not planar 4:2:0 of 8 to 12 bits.
  public init(_ transition: Transition, size: FrameSize, format: PixelFormat, tags: ColorTags) throws(MediaError) {
    guard let depth = FrameBlender.depth(of: format) else {
      throw MediaError(
        .unavailable, "cannot draw the transition \"\(transition.name)\"", reason: "frames are \(format.name), not planar 4:2:0",
        advice: "convert the clips to yuv420p or yuv420p10le")
    }
    guard let entry = TransitionCatalogue.entry(transition.name) else {
      throw MediaError(.bug, "cannot draw the transition \"\(transition.name)\"", reason: "it is not in the catalogue")
    }
    self.transition = transition
    self.size = size
    self.format = format
    self.tags = tags
    self.depth = depth
    method = entry.method
    isXFade = entry.isXFade
    pool = try FramePool(size: size, format: format)
    switch method {
    case .mask(let recipe):
      if recipe.shape == RW_SHAPE_MAP, transition.map == nil {
        throw MediaError(
          .usage, "cannot draw the transition \"\(transition.name)\"", reason: "it has no map", advice: "set \"map\" to a grey image")
      }
      buildField(recipe)
    case .window(let recipe, _): buildField(recipe)
    case .custom:
      guard let text = transition.expression else {
        throw MediaError(
          .usage, "cannot draw the transition \"custom\"", reason: "it has no expression",
          advice: "set \"expression\", for example \"A*P+B*(1-P)\"")
      }
      expression = try SampleExpression(text)
    default: break
    }
  }

  /// Draws the frame at `progress`, 0 (only `a`) to 1 (only `b`), easing applied already. Both frames have the renderer's
  /// size and format; every sample of `target` is written.
  public func render(_ a: VideoFrame, _ b: VideoFrame, progress: Double, into target: inout MutableFrame) throws(MediaError) {
    let t = min(max(progress, 0), 1)
    if t == 0 { return blender.copy(a, into: &target) }
    if t == 1 { return blender.copy(b, into: &target) }
    switch method {
    case .crossfade: blender.crossfade(a, b, weight: t, into: &target)
    case .throughColor: throughColor(a, b, t, into: &target)
    case .overColor: overColor(a, b, t, into: &target)
    case .overGray: overGray(a, b, t, into: &target)
    case .difference(let fast): difference(a, b, t, fast: fast, into: &target)
    case .distance: distance(a, b, t, into: &target)
    case .mask(let recipe): maskBlend(a, b, t, recipe, into: &target)
    case .window(let recipe, let power): try window(a, b, t, recipe, power: power, into: &target)
    case .move(let move): self.move(a, b, t, move, into: &target)
    case .squeeze(let isHorizontal): squeeze(a, b, t, isHorizontal: isHorizontal, into: &target)
    case .zoomSamples: try zoomSamples(a, b, t, into: &target)
    case .pixelate(let isFine): try pixelate(a, b, t, isFine: isFine, into: &target)
    case .blurRows:
      let strength = t <= 0.5 ? t * 2 : (1 - t) * 2
      var (dst, first, second) = (target.picture, a.picture, b.picture)
      rw_picture_blur_rows(
        &dst, &first, &second, Int32(1 + Double(size.width / 2) * strength), FrameBlender.weight(t), 0, Int32(size.height))
    case .warp(let program, let blur): try warp(a, b, t, program, blur: blur, into: &target)
    case .custom: expression?.draw(a, b, bits: Int(depth), p: 1 - t, into: &target)
    }
  }

  /// Code values of the transition's colour. xfade's own black and white are the ends of the code range, whatever the range.
  var codeColor: CodeColor {
    if isXFade, transition.color == .black || transition.color == .white {
      let middle = Int32(1) << (depth - 1)
      return CodeColor(y: transition.color == .black ? 0 : 2 * middle - 1, cb: middle, cr: middle)
    }
    return CodeColor(red: transition.color.red, green: transition.color.green, blue: transition.color.blue, tags: tags, bits: Int(depth))
  }

  /// A frame filled with the transition's colour, made once.
  func coloredFrame() throws(MediaError) -> VideoFrame {
    if let colored { return colored }
    var frame = try pool.frame()
    blender.fill(codeColor, into: &frame)
    let result = frame.freeze(time: .zero, duration: .zero, color: tags)
    colored = result
    return result
  }

  /// A frame of the pool, drawn by `body`.
  func scratch(_ body: (inout MutableFrame) throws(MediaError) -> Void) throws(MediaError) -> VideoFrame {
    var frame = try pool.frame()
    try body(&frame)
    return frame.freeze(time: .zero, duration: .zero, color: tags)
  }

  func withMask(_ body: (inout [UInt8]) -> Void) {
    if mask.isEmpty { mask = [UInt8](repeating: 0, count: size.width * size.height) }
    body(&mask)
  }
}
