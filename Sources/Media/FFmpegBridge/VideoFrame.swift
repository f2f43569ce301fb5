import CFFmpeg
import CShims
public import MediaCore
public import Pipeline

/// One picture: pixels (a reference, shared and immutable), its time and its tags.
///
/// `time` lies on the presentation timeline of its source (edit lists applied; 0 is the start of the file). Frames may
/// be handed to other threads; pixels are freed or go back to their pool with the last reference.
public final class VideoFrame: @unchecked Sendable, Weighted {
  let raw: UnsafeMutablePointer<AVFrame>
  public let time: MediaTime
  /// How long the picture is shown; zero when unknown.
  public let duration: MediaTime
  /// How the pixels must be turned to stand upright.
  public let orientation: Orientation

  /// Takes ownership of `raw`.
  init(owning raw: UnsafeMutablePointer<AVFrame>, time: MediaTime, duration: MediaTime, orientation: Orientation) {
    self.raw = raw
    self.time = time
    self.duration = duration
    self.orientation = orientation
  }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = raw
    av_frame_free(&frame)
  }

  /// The same pixels at another time.
  public func at(_ time: MediaTime, duration: MediaTime? = nil) -> VideoFrame {
    VideoFrame(owning: VideoFrame.reference(raw), time: time, duration: duration ?? self.duration, orientation: orientation)
  }

  /// The same pixels with samples of another shape.
  public func withSampleAspectRatio(_ ratio: Rational) -> VideoFrame {
    let copy = VideoFrame.reference(raw)
    copy.pointee.sample_aspect_ratio = ratio.avRational
    return VideoFrame(owning: copy, time: time, duration: duration, orientation: orientation)
  }

  /// The same pixels without what hangs over the shape of `target` on two sides, cut evenly around the middle and on whole
  /// chroma samples. Nothing is copied.
  public func cropped(toShapeOf target: FrameSize, squareSamples: Bool = true) -> VideoFrame {
    let aspect = squareSamples ? sampleAspectRatio : Rational(1)
    let shape = Rational(Int64(target.width), Int64(max(1, target.height))) / aspect
    let own = Rational(Int64(size.width), Int64(max(1, size.height)))
    guard own != shape, target.width > 0, target.height > 0 else { return self }
    var wanted = size
    if own > shape {
      wanted.width = max(1, Int((Rational(Int64(size.height)) * shape).rounded))
    } else {
      wanted.height = max(1, Int((Rational(Int64(size.width)) / shape).rounded))
    }
    let copy = VideoFrame.reference(raw)
    let shift = format.chromaShift
    let left = (size.width - wanted.width) / 2 / (1 << shift.x) * (1 << shift.x)
    let top = (size.height - wanted.height) / 2 / (1 << shift.y) * (1 << shift.y)
    copy.pointee.crop_left = left
    copy.pointee.crop_top = top
    copy.pointee.crop_right = size.width - wanted.width - left
    copy.pointee.crop_bottom = size.height - wanted.height - top
    av_frame_apply_cropping(copy, Int32(AV_FRAME_CROP_UNALIGNED))
    return VideoFrame(owning: copy, time: time, duration: duration, orientation: orientation)
  }

  /// Whether both are references to the same samples.
  public func sharesPixels(with other: VideoFrame) -> Bool {
    raw.pointee.data.0 == other.raw.pointee.data.0 && raw.pointee.data.0 != nil
  }

  static func allocate() -> UnsafeMutablePointer<AVFrame> {
    guard let frame = av_frame_alloc() else { fatalError("out of memory") }
    return frame
  }

  static func reference(_ frame: UnsafeMutablePointer<AVFrame>) -> UnsafeMutablePointer<AVFrame> {
    guard let copy = av_frame_clone(frame) else { fatalError("out of memory") }
    return copy
  }

  /// Stored width and height, before orientation and sample aspect ratio.
  public var size: FrameSize { FrameSize(Int(raw.pointee.width), Int(raw.pointee.height)) }
  public var format: PixelFormat { PixelFormat(AVPixelFormat(raw.pointee.format)) }
  /// Width : height of a sample; 1:1 when unknown.
  public var sampleAspectRatio: Rational {
    let value = Rational(raw.pointee.sample_aspect_ratio)
    return value.isPositive ? value : Rational(1)
  }
  public var isInterlaced: Bool { raw.pointee.interlaced_frame != 0 }
  public var isKeyframe: Bool { raw.pointee.key_frame != 0 }
  /// Whether the decoder had to conceal damage in this picture.
  public var isDamaged: Bool {
    raw.pointee.decode_error_flags != 0 || raw.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0
  }
  /// Whether that damage is what error concealment covers, and nothing else.
  var isConcealed: Bool {
    let covered = FF_DECODE_ERROR_CONCEALMENT_ACTIVE | FF_DECODE_ERROR_DECODE_SLICES
    return raw.pointee.decode_error_flags & covered != 0 && raw.pointee.decode_error_flags & ~covered == 0
  }

  /// The tags as the stream states them; see `ColorTags.resolved`.
  public var color: ColorTags {
    ColorTags(
      matrix: .init(rawValue: Int32(raw.pointee.colorspace.rawValue)),
      range: .init(rawValue: Int32(raw.pointee.color_range.rawValue)) ?? .unspecified,
      primaries: .init(rawValue: Int32(raw.pointee.color_primaries.rawValue)),
      transfer: .init(rawValue: Int32(raw.pointee.color_trc.rawValue)),
      chromaLocation: .init(rawValue: Int32(raw.pointee.chroma_location.rawValue)) ?? .unspecified)
  }

  /// The tags with unspecified ones replaced by what players assume.
  public var resolvedColor: ColorTags {
    color.resolved(height: size.height, isRGB: format.isRGB, isFullRangeFormat: format.isFullRangeByName)
  }

  public var byteCount: Int {
    max(0, Int(av_image_get_buffer_size(AVPixelFormat(raw.pointee.format), raw.pointee.width, raw.pointee.height, 1)))
  }
  public var mediaDuration: MediaTime { duration }

  /// Gives `body` a view of plane `index` (0: luma or packed samples).
  public func withPlane<Result, Failure: Error>(
    _ index: Int, _ body: (borrowing PlaneView) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let plane = rawPlane(index)
    let count = plane.rowCount == 0 ? 0 : plane.stride * (plane.rowCount - 1) + plane.rowBytes
    let view = PlaneView(
      bytes: Span(_unsafeStart: UnsafePointer(plane.base), count: count), rowBytes: plane.rowBytes,
      rowCount: plane.rowCount, stride: plane.stride)
    return try body(view)
  }

  /// Where plane `index` lies.
  package func rawPlane(_ index: Int) -> RawPlane { VideoFrame.plane(of: raw, index) }

  static func plane(of raw: UnsafeMutablePointer<AVFrame>, _ index: Int) -> RawPlane {
    let format = PixelFormat(AVPixelFormat(raw.pointee.format))
    precondition(index >= 0 && index < format.planeCount, "no such plane")
    let isChroma = (index == 1 || index == 2) && !format.isRGB
    let rows = Int(raw.pointee.height)
    let data = raw.pointee.extended_data[index]!
    return RawPlane(
      base: data, stride: Int(lineSize(raw, index)),
      rowBytes: Int(av_image_get_linesize(AVPixelFormat(raw.pointee.format), raw.pointee.width, Int32(index))),
      rowCount: isChroma ? (rows + (1 << format.chromaShift.y) - 1) >> format.chromaShift.y : rows)
  }

  static func lineSize(_ raw: UnsafeMutablePointer<AVFrame>, _ index: Int) -> Int32 {
    withUnsafePointer(to: &raw.pointee.linesize) {
      UnsafeRawPointer($0).assumingMemoryBound(to: Int32.self)[index]
    }
  }

  static func setColor(_ tags: ColorTags, on raw: UnsafeMutablePointer<AVFrame>) {
    raw.pointee.colorspace = AVColorSpace(UInt32(tags.matrix.rawValue))
    raw.pointee.color_range = AVColorRange(UInt32(tags.range.rawValue))
    raw.pointee.color_primaries = AVColorPrimaries(UInt32(tags.primaries.rawValue))
    raw.pointee.color_trc = AVColorTransferCharacteristic(UInt32(tags.transfer.rawValue))
    raw.pointee.chroma_location = AVChromaLocation(UInt32(tags.chromaLocation.rawValue))
  }
}
