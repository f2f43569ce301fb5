import CFFmpeg
import CShims
public import MediaCore

/// Converts frames to one size, pixel format and colour description by libswscale, into pooled memory.
///
/// Follows changes of the input by itself. Matrix and range are converted as the tags say; primaries and transfer are
/// not (that is `ColorConversion`'s duty). Not safe to share between threads.
public struct Scaler: ~Copyable {
  /// The resampling filter. `bicubic` is libswscale's and the `ffmpeg` tool's default.
  public enum Filter: Int32, Sendable {
    case fastBilinear = 1
    case bilinear = 2
    case bicubic = 4
    case area = 0x20
    case lanczos = 0x200
  }

  public let size: FrameSize
  public let format: PixelFormat
  /// The tags of the results; nil keeps each input's own matrix and range.
  public let color: ColorTags?
  private let filter: Filter
  /// More exact arithmetic at a higher price (`accurate_rnd`, full chroma for RGB).
  private let isAccurate: Bool
  private let threads: Int
  private let pool: FramePool
  private var context: OpaquePointer?
  private var key: Key?

  private struct Key: Equatable {
    var size: FrameSize
    var format: PixelFormat
    var matrix: ColorTags.Matrix
    var range: ColorTags.Range
  }

  public init(
    size: FrameSize, format: PixelFormat, color: ColorTags? = nil, filter: Filter = .bicubic, accurate: Bool = false, threads: Int = 1
  ) throws(MediaError) {
    self.size = size
    self.format = format
    self.color = color
    self.filter = filter
    isAccurate = accurate
    self.threads = threads
    pool = try FramePool(size: size, format: format)
  }

  deinit { sws_freeContext(context) }

  /// Plane buffers allocated so far; constant in steady state.
  public var allocations: Int64 { pool.allocations }

  /// The converted picture, with the time and orientation of `frame` and square samples where the size changed.
  public mutating func scale(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    let source = frame.resolvedColor
    var target = color ?? source
    if format.isRGB {
      target.matrix = .rgb
      target.range = .full
    } else if target.matrix == .rgb || target.matrix == .unspecified {
      target.matrix = size.height >= 720 ? .bt709 : .smpte170m
      target.range = .limited
    }
    let key = Key(size: frame.size, format: frame.format, matrix: source.matrix, range: source.range)
    if key != self.key { try prepare(key, source: source, target: target) }

    let result = try pool.frame()
    guard let context, sws_scale_frame(context, result.raw, frame.raw) >= 0 else {
      throw MediaError(
        .bug, "cannot scale a frame", reason: "libswscale refused \(frame.size) \(frame.format.name) to \(size) \(format.name)")
    }
    av_frame_copy_props(result.raw, frame.raw)
    av_frame_remove_side_data(result.raw, AV_FRAME_DATA_DISPLAYMATRIX)
    return result.freeze(
      time: frame.time, duration: frame.duration, color: target,
      sampleAspectRatio: frame.size == size ? frame.sampleAspectRatio : Rational(1), orientation: frame.orientation)
  }

  private mutating func prepare(_ key: Key, source: ColorTags, target: ColorTags) throws(MediaError) {
    sws_freeContext(context)
    context = nil
    self.key = nil
    guard let context = sws_alloc_context() else { throw MediaError(.refused, "cannot scale", reason: "out of memory") }
    let object = UnsafeMutableRawPointer(context)
    var flags = filter.rawValue
    if isAccurate { flags |= SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT }
    av_opt_set_int(object, "sws_flags", Int64(flags), 0)
    av_opt_set_int(object, "srcw", Int64(key.size.width), 0)
    av_opt_set_int(object, "srch", Int64(key.size.height), 0)
    av_opt_set_int(object, "src_format", Int64(key.format.withoutRange.raw.rawValue), 0)
    av_opt_set_int(object, "dstw", Int64(size.width), 0)
    av_opt_set_int(object, "dsth", Int64(size.height), 0)
    av_opt_set_int(object, "dst_format", Int64(format.withoutRange.raw.rawValue), 0)
    av_opt_set_int(object, "src_range", source.range == .full ? 1 : 0, 0)
    av_opt_set_int(object, "dst_range", target.range == .full ? 1 : 0, 0)
    av_opt_set_int(object, "threads", Int64(threads), 0)
    // Vertically chroma lies between two luma rows in 4:2:0 unless the tags put it on the first.
    if key.format.chromaShift.y == 1 { av_opt_set_int(object, "src_v_chr_pos", Scaler.verticalPosition(source), 0) }
    if format.chromaShift.y == 1 { av_opt_set_int(object, "dst_v_chr_pos", Scaler.verticalPosition(target), 0) }
    let one: Int32 = 1 << 16
    sws_setColorspaceDetails(
      context, Scaler.coefficients(source.matrix), source.range == .full ? 1 : 0, Scaler.coefficients(target.matrix),
      target.range == .full ? 1 : 0, 0, one, one)
    guard sws_init_context(context, nil, nil) >= 0 else {
      sws_freeContext(context)
      throw MediaError(
        .unavailable, "cannot scale", reason: "libswscale has no way from \(key.size) \(key.format.name) to \(size) \(format.name)")
    }
    sws_setColorspaceDetails(
      context, Scaler.coefficients(source.matrix), source.range == .full ? 1 : 0, Scaler.coefficients(target.matrix),
      target.range == .full ? 1 : 0, 0, one, one)
    self.context = context
    self.key = key
  }

  private static func verticalPosition(_ tags: ColorTags) -> Int64 {
    switch tags.chromaLocation {
    case .topLeft, .top: 0
    case .bottomLeft, .bottom: 256
    default: 128
    }
  }

  private static func coefficients(_ matrix: ColorTags.Matrix) -> UnsafePointer<Int32> {
    switch matrix {
    case .bt709: sws_getCoefficients(SWS_CS_ITU709)
    case .bt2020ncl: sws_getCoefficients(SWS_CS_BT2020)
    case .smpte240m: sws_getCoefficients(SWS_CS_SMPTE240M)
    default: sws_getCoefficients(SWS_CS_ITU601)
    }
  }
}
