internal import CKernels
public import FFmpegBridge
public import MediaCore

/// Blends, overlays and resamples planar 4:2:0 frames of 8 to 12 bits in their own layout: no conversion, no allocation
/// once warm.
///
/// Frames that are blended together and the target have one size and format; `accepts` tells. Weights and opacities run
/// from 0 to 1. `rows` are luma rows, a half-open range whose ends are even or the frame's height, so that a frame can be
/// shared out in slices; nil stands for all. An instance holds line buffers: one a thread.
public final class FrameBlender {
  let kernels: UnsafePointer<rw_transition_kernels>
  private let resampler: OpaquePointer
  private var blurLines: [UInt8] = []

  public init() {
    kernels = rw_transition_kernels_best()
    guard let resampler = rw_resampler_create() else { fatalError("out of memory") }
    self.resampler = resampler
  }

  deinit { rw_resampler_free(resampler) }

  /// Whether frames of this format can be blended: planar 4:2:0, 8 to 12 bits, no alpha.
  public static func accepts(_ format: PixelFormat) -> Bool { depth(of: format) != nil }

  static func depth(of format: PixelFormat) -> Int32? {
    switch format.name {
    case "yuv420p", "yuvj420p": 8
    case "yuv420p9le": 9
    case "yuv420p10le": 10
    case "yuv420p12le": 12
    default: nil
    }
  }

  /// `target = a + (b - a) × weight`.
  public func crossfade(_ a: VideoFrame, _ b: VideoFrame, weight: Double, into target: inout MutableFrame, rows: Range<Int>? = nil) {
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    let rows = rows ?? 0..<Int(dst.height)
    check(dst, first)
    check(dst, second)
    rw_picture_crossfade(kernels, &dst, &first, &second, Self.weight(weight), Int32(rows.lowerBound), Int32(rows.upperBound))
  }

  /// `target = a × weightA + b × weightB + color × (1 - weightA - weightB)`; `color` is Y, Cb, Cr in code values.
  public func mix(
    _ a: VideoFrame, _ b: VideoFrame, weightA: Double, weightB: Double, color: CodeColor, into target: inout MutableFrame,
    rows: Range<Int>? = nil
  ) {
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    let rows = rows ?? 0..<Int(dst.height)
    check(dst, first)
    check(dst, second)
    let (wa, wb) = (Self.weight(weightA), Self.weight(weightB))
    let rest = min(wb, Int32(RW_WEIGHT_ONE) - wa)
    rw_picture_mix(
      kernels, &dst, &first, &second, [wa, wa, wa], [rest, rest, rest], [color.y, color.cb, color.cr], Int32(rows.lowerBound),
      Int32(rows.upperBound))
  }

  /// Blends by an 8-bit mask of luma resolution, `width × height` bytes: 0 shows `a`, 255 shows `b`.
  public func blend(_ a: VideoFrame, _ b: VideoFrame, mask: [UInt8], into target: inout MutableFrame, rows: Range<Int>? = nil) {
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    let rows = rows ?? 0..<Int(dst.height)
    check(dst, first)
    check(dst, second)
    precondition(mask.count >= Int(dst.width) * Int(dst.height), "mask smaller than the frame")
    rw_picture_blend_mask(
      kernels, &dst, &first, &second, mask, Int(dst.width), Int32(rows.lowerBound), Int32(rows.upperBound))
  }

  /// Copies rows of `source`.
  public func copy(_ source: VideoFrame, into target: inout MutableFrame, rows: Range<Int>? = nil) {
    var (dst, src) = (target.picture, source.picture)
    let rows = rows ?? 0..<Int(dst.height)
    check(dst, src)
    rw_picture_copy(&dst, &src, Int32(rows.lowerBound), Int32(rows.upperBound))
  }

  /// Fills rows with one colour.
  public func fill(_ color: CodeColor, into target: inout MutableFrame, rows: Range<Int>? = nil) {
    var dst = target.picture
    let rows = rows ?? 0..<Int(dst.height)
    rw_picture_fill(&dst, [color.y, color.cb, color.cr], Int32(rows.lowerBound), Int32(rows.upperBound))
  }

  /// Blends `overlay` with its top left corner at (x, y), which may lie partly or wholly outside.
  public func overlay(
    _ overlay: OverlayImage, x: Int, y: Int, opacity: Double, into target: inout MutableFrame, rows: Range<Int>? = nil
  ) {
    var dst = target.picture
    let rows = rows ?? 0..<Int(dst.height)
    let weight = Self.weight(opacity)
    guard weight > 0 else { return }
    overlay.withPlanes(oddX: x & 1 != 0, oddY: y & 1 != 0) { planes in
      rw_picture_overlay(
        kernels, &dst, &planes, Int32(x), Int32(y), weight, Int32(rows.lowerBound), Int32(rows.upperBound))
    }
  }

  /// Copies `source`, of any size and of the target's format, with its top left corner at (x, y), which may lie partly or wholly outside.
  public func place(_ source: VideoFrame, x: Int, y: Int, into target: inout MutableFrame) {
    var (dst, src) = (target.picture, source.picture)
    precondition(dst.depth == src.depth, "formats differ")
    rw_picture_shift(&dst, &src, Int32(x), Int32(y), 0, dst.height)
  }

  /// How samples between samples are found.
  public enum Interpolation: Sendable {
    case bilinear
    /// Cubic convolution (Keys 1981, a = -½): sharper; the default.
    case bicubic
  }

  /// Draws `window` of `source` over the whole of `target`, or over `area` of it (even corner, even size unless it
  /// reaches the frame's edge). The window is in luma samples of the source and may be fractional: phases are exact, so
  /// slow zooms and pans do not jitter. A window larger than its target is filtered down. Source and target have the
  /// same format, not the same size.
  public func resample(
    _ source: VideoFrame, window: SampleWindow, into target: inout MutableFrame, area: PixelRect? = nil,
    interpolation: Interpolation = .bicubic
  ) throws(MediaError) {
    var (dst, src) = (target.picture, source.picture)
    precondition(dst.depth == src.depth, "formats differ")
    let area = area ?? PixelRect(x: 0, y: 0, width: Int(dst.width), height: Int(dst.height))
    precondition(
      area.x >= 0 && area.y >= 0 && area.x & 1 == 0 && area.y & 1 == 0 && area.width > 0 && area.height > 0
        && area.x + area.width <= Int(dst.width) && area.y + area.height <= Int(dst.height), "area outside of the frame")
    var rectangle = rw_window(x: window.x, y: window.y, width: window.width, height: window.height)
    let filter = interpolation == .bicubic ? Int32(RW_FILTER_BICUBIC) : Int32(RW_FILTER_BILINEAR)
    let status = rw_picture_resample(
      kernels, resampler, &dst, Int32(area.x), Int32(area.y), Int32(area.width), Int32(area.height), &src, &rectangle, filter)
    guard status == 0 else {
      throw MediaError(
        .refused, "cannot resample a frame", reason: "a window of \(window.width)x\(window.height) for \(area.width)x\(area.height)",
        advice: "scale the source down first")
    }
  }

  /// A copy of `source` blurred by three boxes, near a Gaussian with a standard deviation of `sigma` luma samples.
  /// `target` has the size and format of `source`.
  public func blur(_ source: VideoFrame, sigma: Double, into target: inout MutableFrame) {
    var (dst, src) = (target.picture, source.picture)
    check(dst, src)
    let bytes = rw_blur_scratch(dst.width, dst.height)
    if blurLines.count < bytes { blurLines = [UInt8](repeating: 0, count: bytes) }
    blurLines.withUnsafeMutableBytes { lines in rw_picture_blur(&dst, &src, Float(max(0, sigma)), lines.baseAddress) }
  }

  /// 0…1 as a 15-bit weight.
  static func weight(_ value: Double) -> Int32 { Int32((min(max(value, 0), 1) * Double(RW_WEIGHT_ONE)).rounded()) }

  private func check(_ a: rw_picture, _ b: rw_picture) {
    precondition(a.width == b.width && a.height == b.height && a.depth == b.depth, "frames differ in size or format")
  }
}

extension VideoFrame {
  /// The frame for the kernels; read only, valid while the frame lives.
  var picture: rw_picture {
    guard let depth = FrameBlender.depth(of: format) else { preconditionFailure("not planar 4:2:0: \(format.name)") }
    return rw_picture(rawPlane(0), rawPlane(1), rawPlane(2), size, depth)
  }
}

extension MutableFrame {
  /// The frame for the kernels, valid while the frame lives.
  var picture: rw_picture {
    guard let depth = FrameBlender.depth(of: format) else { preconditionFailure("not planar 4:2:0: \(format.name)") }
    return rw_picture(rawPlane(0), rawPlane(1), rawPlane(2), size, depth)
  }
}

extension rw_picture {
  init(_ y: RawPlane, _ cb: RawPlane, _ cr: RawPlane, _ size: FrameSize, _ depth: Int32) {
    self.init(
      plane: (y.base, cb.base, cr.base), stride: (y.stride, cb.stride, cr.stride), width: Int32(size.width),
      height: Int32(size.height), depth: depth)
  }
}
