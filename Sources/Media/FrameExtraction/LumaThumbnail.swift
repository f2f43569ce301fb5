import CKernels
import FFmpegBridge
import MediaCore

/// A small 8-bit picture of a frame's luma, for measuring.
struct LumaThumbnail {
  let size: FrameSize
  let bytes: [UInt8]

  /// Fits the luma of `frame` into `maximum` by averaging areas; formats without a luma plane are converted first.
  init(_ frame: VideoFrame, maximum: FrameSize) throws(MediaError) {
    var frame = frame
    if frame.format.isRGB || !frame.format.isPlanar && !frame.format.isGray || frame.format.bitDepth > 16 {
      var scaler = try Scaler(size: frame.size, format: .gray8)
      frame = try scaler.scale(frame)
    }
    let depth = frame.format.bitDepth
    let sampleBytes = frame.format.bytesPerComponent
    let factor = max(1, max(Double(frame.size.width) / Double(maximum.width), Double(frame.size.height) / Double(maximum.height)))
    let size = FrameSize(
      max(1, Int(Double(frame.size.width) / factor)), max(1, Int(Double(frame.size.height) / factor)))
    let plane = frame.rawPlane(0)
    var samples = [UInt8](repeating: 0, count: Int(size.pixels) * sampleBytes)
    let status = rw_area_scale(
      rw_convert_best(), plane.base, plane.stride, Int32(frame.size.width), Int32(frame.size.height), Int32(sampleBytes), &samples,
      size.width * sampleBytes, Int32(size.width), Int32(size.height))
    guard status == 0 else { throw MediaError(.refused, "cannot measure a frame", reason: "out of memory") }
    self.size = size
    bytes =
      sampleBytes == 1
      ? samples
      : (0..<Int(size.pixels)).map { i in
        UInt8(truncatingIfNeeded: (Int(samples[2 * i]) | Int(samples[2 * i + 1]) << 8) >> (depth - 8))
      }
  }
}
