import CFFmpeg
import CShims
public import MediaCore

/// Makes frames of one size and format from reused memory. Safe to use from any thread; frames may outlive the pool.
public final class FramePool: @unchecked Sendable {
  public let size: FrameSize
  public let format: PixelFormat
  private let pool: OpaquePointer
  private static let alignment: Int32 = 64

  public init(size: FrameSize, format: PixelFormat) throws(MediaError) {
    let bytes = av_image_get_buffer_size(format.raw, Int32(size.width), Int32(size.height), FramePool.alignment)
    // Kernels may read and write whole vectors at the end of the last row.
    guard bytes > 0, let pool = rw_pool_create(Int(bytes) + 64) else {
      throw MediaError(.refused, "cannot allocate frames", reason: "\(size) \(format.name) is not a possible frame")
    }
    self.size = size
    self.format = format
    self.pool = pool
  }

  deinit { rw_pool_free(pool) }

  /// Buffers allocated so far; constant in steady state.
  public var allocations: Int64 { rw_pool_allocations(pool) }

  /// A frame to be written. Its samples are whatever was there before.
  public func frame() throws(MediaError) -> MutableFrame {
    let frame = VideoFrame.allocate()
    frame.pointee.width = Int32(size.width)
    frame.pointee.height = Int32(size.height)
    frame.pointee.format = format.raw.rawValue
    guard let buffer = rw_pool_get(pool) else {
      var frame: UnsafeMutablePointer<AVFrame>? = frame
      av_frame_free(&frame)
      throw MediaError(.refused, "cannot allocate a frame", reason: "out of memory")
    }
    frame.pointee.buf.0 = buffer
    withUnsafeMutablePointer(to: &frame.pointee.data) { data in
      withUnsafeMutablePointer(to: &frame.pointee.linesize) { lines in
        _ = av_image_fill_arrays(
          UnsafeMutableRawPointer(data).assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self),
          UnsafeMutableRawPointer(lines).assumingMemoryBound(to: Int32.self), buffer.pointee.data, format.raw,
          Int32(size.width), Int32(size.height), FramePool.alignment)
      }
    }
    frame.pointee.extended_data = UnsafeMutableRawPointer(frame)
      .advanced(by: MemoryLayout<AVFrame>.offset(of: \.data)!).assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self)
    return MutableFrame(raw: frame)
  }

  /// A frame to be written that starts as a copy of `source`'s samples, which must have the pool's size and format.
  public func copy(of source: VideoFrame) throws(MediaError) -> MutableFrame {
    let result = try frame()
    guard av_frame_copy(result.raw, source.raw) >= 0 else {
      throw MediaError(.bug, "cannot copy a frame", reason: "\(source.size) \(source.format.name) does not fit \(size) \(format.name)")
    }
    av_frame_copy_props(result.raw, source.raw)
    return result
  }
}

/// A frame that nobody else sees yet and whose samples may be written; becomes a `VideoFrame` by `freeze`.
public struct MutableFrame: ~Copyable {
  let raw: UnsafeMutablePointer<AVFrame>

  init(raw: UnsafeMutablePointer<AVFrame>) { self.raw = raw }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = raw
    av_frame_free(&frame)
  }

  public var size: FrameSize { FrameSize(Int(raw.pointee.width), Int(raw.pointee.height)) }
  public var format: PixelFormat { PixelFormat(AVPixelFormat(raw.pointee.format)) }

  package func rawPlane(_ index: Int) -> RawPlane { VideoFrame.plane(of: raw, index) }

  /// Gives `body` the samples of row `y` of plane `index` to write.
  public mutating func withRow<Result, Failure: Error>(
    _ y: Int, ofPlane index: Int, _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let plane = rawPlane(index)
    precondition(y >= 0 && y < plane.rowCount, "no such row")
    var span = MutableSpan(_unsafeStart: plane.base + y * plane.stride, count: plane.rowBytes)
    return try body(&span)
  }

  /// Ends writing. The frame is upright with square samples unless `sampleAspectRatio` says otherwise.
  public consuming func freeze(
    time: MediaTime, duration: MediaTime, color: ColorTags, sampleAspectRatio: Rational = Rational(1),
    orientation: Orientation = .upright
  ) -> VideoFrame {
    VideoFrame.setColor(color, on: raw)
    raw.pointee.sample_aspect_ratio = sampleAspectRatio.avRational
    return VideoFrame(owning: VideoFrame.reference(raw), time: time, duration: duration, orientation: orientation)
  }
}
