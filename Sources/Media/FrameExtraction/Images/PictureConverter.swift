import CKernels
public import FFmpegBridge
public import MediaCore
import Pipeline

/// Turns decoded frames into upright pictures with square pixels: scales, converts matrix and range, tone-maps HDR,
/// rotates and mirrors. Safe to use from any thread.
///
/// Y'CbCr of 8 to 12 bits goes through own kernels, with areas averaged for reductions of two and more; everything else
/// and smaller changes of size through libswscale (bicubic).
public final class PictureConverter: Sendable {
  /// What pictures are converted to.
  public enum Target: Sendable, Hashable {
    case rgb
    /// RGB, or RGBA where the source has alpha.
    case rgbKeepingAlpha
    case jfif
  }

  public let target: Target
  /// The box that pictures must fit into; a side of 0 is free. They are never enlarged.
  public let bounds: FrameSize
  private let environment: MediaEnvironment
  private let pool = ScratchPool()

  public init(_ target: Target, bounds: FrameSize = FrameSize(0, 0), environment: MediaEnvironment = MediaEnvironment()) {
    self.target = target
    self.bounds = bounds
    self.environment = environment
  }

  /// The size of `stored` pixels with this aspect and orientation inside `bounds`.
  public static func fittedSize(
    _ stored: FrameSize, sampleAspectRatio: Rational, orientation: Orientation, bounds: FrameSize
  ) -> FrameSize {
    var width = Rational(Int64(stored.width))
    var height = Rational(Int64(stored.height))
    // Squaring makes one side longer, never one shorter: no detail is lost before the fit. What differs from square by less
    // than half a per cent, as sizes rounded by an encoder do, stays as it is: resampling would blur more than it straightens.
    let isSquare = sampleAspectRatio > Rational(199, 200) && sampleAspectRatio < Rational(201, 200)
    if sampleAspectRatio > Rational(1) && !isSquare {
      width = width * sampleAspectRatio
    } else if sampleAspectRatio.isPositive && !isSquare {
      height = height / sampleAspectRatio
    }
    if orientation.swapsSides { (width, height) = (height, width) }
    var scale = Rational(1)
    if bounds.width > 0 { scale = min(scale, Rational(Int64(bounds.width)) / width) }
    if bounds.height > 0 { scale = min(scale, Rational(Int64(bounds.height)) / height) }
    return FrameSize(max(1, Int((width * scale).rounded)), max(1, Int((height * scale).rounded)))
  }

  /// The upright picture of a frame.
  public func convert(_ original: VideoFrame) throws(MediaError) -> Bitmap {
    let size = PictureConverter.fittedSize(
      original.size, sampleAspectRatio: original.sampleAspectRatio, orientation: original.orientation, bounds: bounds)
    let stored = original.orientation.swapsSides ? size.transposed : size
    var frame = original
    if frame.color.isHDR { frame = try toneMapped(frame, to: stored) }
    let upright = original.orientation
    guard let source = YUVSource(frame) else { return try oriented(try converted(frame, to: stored), upright) }
    if frame.size == stored { return try oriented(convert(source, frame), upright) }
    // Box averaging is right from a factor of two on; below, bicubic keeps what detail there is.
    if 2 * stored.width <= frame.size.width && 2 * stored.height <= frame.size.height {
      return try oriented(try reduced(source, frame, to: stored), upright)
    }
    var scaler = try Scaler(size: stored, format: frame.format.withoutRange, color: frame.resolvedColor)
    let scaled = try scaler.scale(frame)
    guard let scaledSource = YUVSource(scaled) else { throw MediaError(.bug, "cannot convert a frame", reason: "lost its format") }
    return try oriented(convert(scaledSource, scaled), upright)
  }

  private func toneMapped(_ frame: VideoFrame, to size: FrameSize) throws(MediaError) -> VideoFrame {
    var filters = frame.size == size ? [] : ["scale=\(size.width):\(size.height):flags=area"]
    let mapping = ToneMapping.filters(transfer: frame.color.transfer, tags: frame.resolvedColor)
    let shift = frame.format.chromaShift
    if (shift.x > 0 && size.width % 2 != 0) || (shift.y > 0 && size.height % 2 != 0) {
      // zscale takes subsampled pictures of even sizes only.
      filters += ["format=yuv444p12le"] + mapping.dropLast() + ["format=yuv444p"]
    } else {
      filters += mapping
    }
    var graph = try FilterGraph(filters.joined(separator: ","), environment: environment)
    var result = try graph.filter(frame)
    if result.isEmpty { result = try graph.filter(nil) }
    guard let first = result.first else { throw MediaError(.bug, "cannot tone-map a frame", reason: "no frame came out") }
    return first
  }

  /// Formats without own kernels.
  private func converted(_ frame: VideoFrame, to size: FrameSize) throws(MediaError) -> Bitmap {
    if target == .jfif {
      var tags = ColorTags.bt709
      tags.matrix = .smpte170m
      tags.range = .full
      var scaler = try Scaler(size: size, format: .yuv444p, color: tags, accurate: true)
      let result = try scaler.scale(frame)
      guard let source = YUVSource(result) else { throw MediaError(.bug, "cannot convert a frame", reason: "lost its format") }
      return convert(source, result)
    }
    let keepsAlpha = target == .rgbKeepingAlpha && frame.format.hasAlpha
    var scaler = try Scaler(size: size, format: keepsAlpha ? .rgba : .rgb24, accurate: true)
    let result = try scaler.scale(frame)
    let bitmap = Bitmap(size: size, layout: keepsAlpha ? .rgba : .rgb, pool: pool)
    let plane = result.rawPlane(0)
    for y in 0..<size.height {
      (bitmap.planes[0].base + y * bitmap.planes[0].stride).update(from: plane.base + y * plane.stride, count: bitmap.rowBytes)
    }
    return bitmap
  }

  /// Same size, other colours.
  private func convert(_ source: YUVSource, _ frame: VideoFrame) -> Bitmap {
    let isa = rw_convert_best()
    var image = source.image
    if target == .jfif {
      let bitmap = Bitmap(size: source.size, layout: .jfif(shiftX: source.shiftX, shiftY: source.shiftY), pool: pool)
      var matrix = ColorMatrix.toJFIF(source.tags, bits: source.bits)
      var planes: [UnsafeMutablePointer<UInt8>?] = bitmap.planes.map(\.base)
      rw_yuv_to_yuv8(isa, &image, &matrix, &planes, bitmap.planes.map(\.stride))
      return withExtendedLifetime(frame) { bitmap }
    }
    let bitmap = Bitmap(size: source.size, layout: .rgb, pool: pool)
    var matrix = ColorMatrix.toRGB(source.tags, bits: source.bits)
    rw_yuv_to_rgb(isa, &image, &matrix, 0, Int32(source.size.height), bitmap.planes[0].base, bitmap.planes[0].stride, 3)
    return withExtendedLifetime(frame) { bitmap }
  }

  /// Averaged planes, then converted.
  private func reduced(_ source: YUVSource, _ frame: VideoFrame, to size: FrameSize) throws(MediaError) -> Bitmap {
    let isa = rw_convert_best()
    let bytes = source.bits > 8 ? 2 : 1
    var small = source
    small.size = size
    // Reduced chroma has at least the luma's resolution when it is not halved again.
    let planeCount = source.isGray ? 1 : 3
    var blocks: [ScratchPool.Block] = []
    var image = source.image
    image.width = Int32(size.width)
    image.height = Int32(size.height)
    for plane in 0..<planeCount {
      let isChroma = plane > 0
      let width = isChroma ? (size.width + source.shiftX) >> source.shiftX : size.width
      let height = isChroma ? (size.height + source.shiftY) >> source.shiftY : size.height
      let stride = (width * bytes + 31) / 32 * 32
      let block = pool.block(stride * height + 64)
      blocks.append(block)
      let from = frame.rawPlane(plane)
      let status = rw_area_scale(
        isa, from.base, from.stride, Int32(from.rowBytes / bytes), Int32(from.rowCount), Int32(bytes), block.base, stride, Int32(width),
        Int32(height))
      guard status == 0 else { throw MediaError(.refused, "cannot scale a frame", reason: "out of memory") }
      switch plane {
      case 0: (image.planes.0, image.strides.0) = (UnsafePointer(block.base), stride)
      case 1: (image.planes.1, image.strides.1) = (UnsafePointer(block.base), stride)
      default: (image.planes.2, image.strides.2) = (UnsafePointer(block.base), stride)
      }
    }
    small.image = image
    return withExtendedLifetime(blocks) { convert(small, frame) }
  }

  private func oriented(_ bitmap: Bitmap, _ orientation: Orientation) throws(MediaError) -> Bitmap {
    guard !orientation.isUpright else { return bitmap }
    var layout = bitmap.layout
    if case .jfif(let x, let y) = layout, orientation.swapsSides { layout = .jfif(shiftX: y, shiftY: x) }
    let result = Bitmap(size: orientation.swapsSides ? bitmap.size.transposed : bitmap.size, layout: layout, pool: pool)
    for (from, to) in zip(bitmap.planes, result.planes) {
      rw_orient(
        from.base, from.stride, Int32(from.width), Int32(from.height), Int32(bitmap.channels), to.base, to.stride,
        Int32(orientation.quarterTurns), orientation.mirrored ? 1 : 0)
    }
    return result
  }
}

/// A frame that the conversion kernels can read.
struct YUVSource {
  var image: rw_yuv_image
  var size: FrameSize
  let tags: ColorTags
  let bits: Int
  let shiftX: Int
  let shiftY: Int
  let isGray: Bool

  /// Nil when the format is none of theirs.
  init?(_ frame: VideoFrame) {
    let name = frame.format.withoutRange.name
    let formats = ["yuv420p", "yuv422p", "yuv444p", "yuv440p", "gray"]
    guard let base = formats.first(where: { name.hasPrefix($0) }), ["", "10le", "12le", "9le"].contains(name.dropFirst(base.count)) else {
      return nil
    }
    isGray = base == "gray"
    bits = frame.format.bitDepth
    shiftX = isGray ? 0 : frame.format.chromaShift.x
    shiftY = isGray ? 0 : frame.format.chromaShift.y
    size = frame.size
    tags = frame.resolvedColor
    image = rw_yuv_image()
    image.width = Int32(size.width)
    image.height = Int32(size.height)
    image.bits = UInt8(bits)
    image.chroma_shift_x = UInt8(shiftX)
    image.chroma_shift_y = UInt8(shiftY)
    image.chroma_left = [.left, .topLeft, .bottomLeft, .unspecified].contains(tags.chromaLocation) ? 1 : 0
    image.chroma_top = [.top, .topLeft].contains(tags.chromaLocation) ? 1 : 0
    let luma = frame.rawPlane(0)
    image.planes.0 = UnsafePointer(luma.base)
    image.strides.0 = luma.stride
    guard !isGray else { return }
    let (u, v) = (frame.rawPlane(1), frame.rawPlane(2))
    image.planes.1 = UnsafePointer(u.base)
    image.planes.2 = UnsafePointer(v.base)
    image.strides.1 = u.stride
    image.strides.2 = v.stride
  }
}
