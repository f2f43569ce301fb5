import CTurboJPEG
import CWebP
import FFmpegBridge
public import MediaCore

/// Compresses bitmaps into image files. Safe to use from any thread.
public struct ImageWriter: Sendable {
  public let format: ImageFormat
  /// 1...100; used by JPEG and WebP.
  public let quality: Int

  /// - Parameter quality: default: the format's own.
  public init(_ format: ImageFormat, quality: Int? = nil) {
    self.format = format
    self.quality = max(1, min(100, quality ?? format.defaultQuality))
  }

  /// The bytes of the file.
  ///
  /// - Throws: `usage` for a picture larger than the format allows.
  public func encode(_ bitmap: Bitmap) throws(MediaError) -> [UInt8] {
    switch format {
    case .jpg: try jpeg(bitmap)
    case .png: try png(bitmap)
    case .webp: try webp(bitmap)
    case .ppm: ppm(bitmap)
    }
  }

  private func failure(_ reason: String, _ code: MediaError.Code = .bug) -> MediaError {
    MediaError(code, "cannot write a \(format.rawValue) picture", reason: reason)
  }

  private func check(_ bitmap: Bitmap, side: Int) throws(MediaError) {
    if bitmap.size.width > side || bitmap.size.height > side {
      throw failure("\(bitmap.size) is larger than the \(side) pixels a side that the format allows", .usage)
    }
  }

  /// libjpeg-turbo, from the planes where they are JFIF's already; exact integer DCT.
  private func jpeg(_ bitmap: Bitmap) throws(MediaError) -> [UInt8] {
    try check(bitmap, side: 65_500)
    guard let handle = tjInitCompress() else { throw failure("out of memory", .refused) }
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var count: UInt = 0
    defer { tjFree(buffer) }
    let (width, height) = (Int32(bitmap.size.width), Int32(bitmap.size.height))
    let status: Int32
    switch bitmap.layout {
    case .jfif(let x, let y):
      let sampling = x == 1 ? (y == 1 ? TJSAMP_420 : TJSAMP_422) : (y == 1 ? TJSAMP_440 : TJSAMP_444)
      var planes: [UnsafePointer<UInt8>?] = bitmap.planes.map { UnsafePointer($0.base) }
      status = tjCompressFromYUVPlanes(
        handle, &planes, width, bitmap.planes.map { Int32($0.stride) }, height, Int32(sampling.rawValue), &buffer, &count, Int32(quality),
        TJFLAG_ACCURATEDCT)
    case .rgb, .rgba:
      let pixels = bitmap.layout == .rgb ? TJPF_RGB : TJPF_RGBA
      status = tjCompress2(
        handle, bitmap.planes[0].base, width, Int32(bitmap.planes[0].stride), height, pixels.rawValue, &buffer, &count,
        Int32(TJSAMP_420.rawValue), Int32(quality), TJFLAG_ACCURATEDCT)
    }
    guard status == 0, let buffer else { throw failure(String(cString: tjGetErrorStr2(handle))) }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
  }

  private func png(_ bitmap: Bitmap) throws(MediaError) -> [UInt8] {
    let environment = MediaEnvironment(threads: 1)
    let format: PixelFormat = bitmap.layout == .rgba ? .rgba : .rgb24
    let color = ColorTags(matrix: .rgb, range: .full, primaries: .bt709, transfer: .srgb)
    var encoder = try Encoder(
      video: .init(
        encoder: "png", size: bitmap.size, format: format, color: color, timeBase: Rational(1, 25),
        options: ["compression_level": "3", "pred": "up"], threads: 1), environment: environment)
    try encoder.send(try frame(bitmap, color: color))
    try encoder.send(nil as VideoFrame?)
    guard let packet = try encoder.receive() else { throw failure("the encoder gave nothing") }
    return packet.withBytes { bytes in bytes.withUnsafeBufferPointer { Array($0) } }
  }

  /// RGB or RGBA pixels as a frame.
  private func frame(_ bitmap: Bitmap, color: ColorTags) throws(MediaError) -> VideoFrame {
    let pool = try FramePool(size: bitmap.size, format: bitmap.layout == .rgba ? .rgba : .rgb24)
    let frame = try pool.frame()
    let plane = frame.rawPlane(0)
    for y in 0..<bitmap.size.height {
      (plane.base + y * plane.stride).update(from: bitmap.planes[0].base + y * bitmap.planes[0].stride, count: bitmap.rowBytes)
    }
    return frame.freeze(time: .zero, duration: .zero, color: color)
  }

  private func webp(_ bitmap: Bitmap) throws(MediaError) -> [UInt8] {
    try check(bitmap, side: 16_383)
    var buffer: UnsafeMutablePointer<UInt8>?
    let (width, height) = (Int32(bitmap.size.width), Int32(bitmap.size.height))
    let plane = bitmap.planes[0]
    let count =
      bitmap.layout == .rgba
      ? WebPEncodeRGBA(plane.base, width, height, Int32(plane.stride), Float(quality), &buffer)
      : WebPEncodeRGB(plane.base, width, height, Int32(plane.stride), Float(quality), &buffer)
    defer { WebPFree(buffer) }
    guard count > 0, let buffer else { throw failure("libwebp refused it") }
    return Array(UnsafeBufferPointer(start: buffer, count: count))
  }

  private func ppm(_ bitmap: Bitmap) -> [UInt8] {
    var bytes = Array("P6\n\(bitmap.size.width) \(bitmap.size.height)\n255\n".utf8)
    bytes.reserveCapacity(bytes.count + bitmap.size.height * bitmap.size.width * 3)
    let channels = bitmap.channels
    for y in 0..<bitmap.size.height {
      let row = UnsafeBufferPointer(start: bitmap.planes[0].base + y * bitmap.planes[0].stride, count: bitmap.rowBytes)
      if channels == 3 {
        bytes.append(contentsOf: row)
      } else {
        for x in 0..<bitmap.size.width { bytes.append(contentsOf: row[(4 * x)..<(4 * x + 3)]) }
      }
    }
    return bytes
  }
}
