import Encoding
import FFmpegBridge
import MediaCore
import Pipeline

/// Decoded stills as straight-alpha RGBA bytes.
enum StillImage {
  /// `frame`, upright, at `size`: 4 bytes a pixel, rows without padding.
  static func rgba(_ frame: VideoFrame, size: FrameSize, environment: MediaEnvironment) throws(MediaError) -> [UInt8] {
    var wanted = PictureFormat()
    wanted.format = .rgba
    wanted.size = frame.size
    let full = try conform(frame, wanted, environment)
    var bytes = packed(full)
    guard size != full.size else { return bytes }
    // Transparent pixels have colours that nobody should see: weigh colours by alpha before they are mixed.
    premultiply(&bytes)
    let source = try frame4(bytes, size: full.size)
    var scaler = try Scaler(size: size, format: .rgba, filter: size.pixels < full.size.pixels ? .area : .bicubic)
    bytes = packed(try scaler.scale(source))
    unpremultiply(&bytes)
    return bytes
  }

  private static func conform(_ frame: VideoFrame, _ wanted: PictureFormat, _ environment: MediaEnvironment) throws(MediaError)
    -> VideoFrame
  {
    final class One: Source {
      var frame: VideoFrame?
      init(_ frame: VideoFrame) { self.frame = frame }
      func next() -> VideoFrame? {
        defer { frame = nil }
        return frame
      }
    }
    var wanted = wanted
    if frame.orientation.swapsSides { wanted.size = frame.size.transposed }
    guard let result = try One(frame).through(PictureConformer(wanted, environment: environment)).next() else {
      throw MediaError(.bug, "cannot convert a picture", reason: "nothing came out")
    }
    return result
  }

  private static func packed(_ frame: VideoFrame) -> [UInt8] {
    let plane = frame.rawPlane(0)
    return [UInt8](unsafeUninitializedCapacity: plane.rowBytes * plane.rowCount) { buffer, count in
      for row in 0..<plane.rowCount {
        (buffer.baseAddress! + row * plane.rowBytes).update(from: plane.base + row * plane.stride, count: plane.rowBytes)
      }
      count = plane.rowBytes * plane.rowCount
    }
  }

  private static func frame4(_ bytes: [UInt8], size: FrameSize) throws(MediaError) -> VideoFrame {
    let target = try FramePool(size: size, format: .rgba).frame()
    let plane = target.rawPlane(0)
    bytes.withUnsafeBufferPointer { buffer in
      for row in 0..<plane.rowCount {
        (plane.base + row * plane.stride).update(from: buffer.baseAddress! + row * plane.rowBytes, count: plane.rowBytes)
      }
    }
    return target.freeze(time: .zero, duration: .zero, color: ColorTags(matrix: .rgb, range: .full, primaries: .bt709, transfer: .srgb))
  }

  private static func premultiply(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBufferPointer { buffer in
      for pixel in stride(from: 0, to: buffer.count &- 3, by: 4) {
        let alpha = UInt32(buffer[pixel &+ 3])
        for c in 0..<3 { buffer[pixel &+ c] = UInt8(truncatingIfNeeded: (UInt32(buffer[pixel &+ c]) &* alpha &+ 127) / 255) }
      }
    }
  }

  private static func unpremultiply(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBufferPointer { buffer in
      for pixel in stride(from: 0, to: buffer.count &- 3, by: 4) {
        let alpha = UInt32(buffer[pixel &+ 3])
        guard alpha > 0 else { continue }
        for c in 0..<3 {
          buffer[pixel &+ c] = UInt8(truncatingIfNeeded: min(255, (UInt32(buffer[pixel &+ c]) &* 255 &+ alpha / 2) / alpha))
        }
      }
    }
  }
}
