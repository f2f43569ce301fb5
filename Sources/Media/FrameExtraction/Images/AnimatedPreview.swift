import CWebP
public import FFmpegBridge
public import FileAccess
public import MediaCore

/// A short looping animation of RGB pictures, as GIF (one palette for all, Floyd–Steinberg dithering) or WebP.
public final class AnimatedPreview {
  public enum Format: String, Sendable, Hashable, Codable {
    case gif, webp

    /// By a file name's extension; nil for an unknown one.
    public init?(fileName: String) {
      guard let dot = fileName.lastIndex(of: ".") else { return nil }
      self.init(rawValue: fileName[fileName.index(after: dot)...].lowercased())
    }
  }

  public let format: Format
  /// How long each picture is shown; GIF rounds to hundredths of a second.
  public let interval: MediaTime
  private let environment: MediaEnvironment
  private var pictures: [Bitmap] = []

  /// - Parameter interval: default 0.4 s.
  public init(_ format: Format, interval: MediaTime = MediaTime(Rational(2, 5)), environment: MediaEnvironment = MediaEnvironment()) {
    self.format = format
    self.interval = interval
    self.environment = environment
  }

  /// Appends a picture; all must have the size of the first.
  public func add(_ picture: Bitmap) throws(MediaError) {
    precondition(picture.layout == .rgb, "an animation takes RGB pictures")
    if let first = pictures.first, first.size != picture.size {
      throw failure("a picture is \(picture.size), the first \(first.size)")
    }
    guard Int64(pictures.count + 1) * picture.size.pixels <= 134_217_728 else {
      throw MediaError(
        .usage, "cannot make an animation", reason: "\(pictures.count + 1) pictures of \(picture.size) are too many",
        advice: "use fewer or a smaller --max-size")
    }
    pictures.append(picture)
  }

  public var isEmpty: Bool { pictures.isEmpty }

  /// Writes the animation.
  public func write(to output: OutputFile) throws(MediaError) {
    guard !pictures.isEmpty else { throw failure("there is no picture") }
    switch format {
    case .gif: try writeGIF(output)
    case .webp: try FileWriter.write(try webp(), to: output)
    }
  }

  private func failure(_ reason: String) -> MediaError { MediaError(.bug, "cannot make an animation", reason: reason) }

  private func writeGIF(_ output: OutputFile) throws(MediaError) {
    let size = pictures[0].size
    let color = ColorTags(matrix: .rgb, range: .full, primaries: .bt709, transfer: .srgb)
    let pool = try FramePool(size: size, format: .rgb24)
    var graph = try FilterGraph(
      "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=floyd_steinberg", environment: environment)
    var paletted: [VideoFrame] = []
    for (place, picture) in pictures.enumerated() {
      let frame = try pool.frame()
      let plane = frame.rawPlane(0)
      for y in 0..<size.height {
        (plane.base + y * plane.stride).update(from: picture.planes[0].base + y * picture.planes[0].stride, count: picture.rowBytes)
      }
      let time = interval * Rational(Int64(place))
      paletted += try graph.filter(frame.freeze(time: time, duration: interval, color: color))
    }
    paletted += try graph.filter(nil)
    guard let format = PixelFormat(name: "pal8") else { throw failure("this FFmpeg knows no palettes") }
    let hundredth = Rational(1, 100)
    var encoder = try Encoder(
      video: .init(encoder: "gif", size: size, format: format, color: color, timeBase: hundredth, threads: 1, globalHeader: false),
      environment: environment)
    var muxer = try Muxer(format: "gif", output: output, environment: environment)
    let stream = try muxer.addStream(encoder)
    try muxer.start()
    for frame in paletted {
      try encoder.send(frame, ticks: frame.time.ticks(in: hundredth))
      while let packet = try encoder.receive() { try muxer.write(packet, to: stream) }
    }
    try encoder.send(nil as VideoFrame?)
    while let packet = try encoder.receive() { try muxer.write(packet, to: stream) }
    try muxer.finish()
  }

  private func webp() throws(MediaError) -> [UInt8] {
    let size = pictures[0].size
    var options = WebPAnimEncoderOptions()
    guard WebPAnimEncoderOptionsInitInternal(&options, WEBP_MUX_ABI_VERSION) != 0,
      let encoder = WebPAnimEncoderNewInternal(Int32(size.width), Int32(size.height), &options, WEBP_MUX_ABI_VERSION)
    else { throw failure("libwebp refused it") }
    defer { WebPAnimEncoderDelete(encoder) }
    var config = WebPConfig()
    guard WebPConfigInitInternal(&config, WEBP_PRESET_DEFAULT, 75, WEBP_ENCODER_ABI_VERSION) != 0 else {
      throw failure("libwebp refused it")
    }
    let milliseconds = (interval.seconds * Rational(1000)).rounded
    for (place, picture) in pictures.enumerated() {
      var frame = WebPPicture()
      guard WebPPictureInitInternal(&frame, WEBP_ENCODER_ABI_VERSION) != 0 else { throw failure("libwebp refused it") }
      frame.use_argb = 1
      frame.width = Int32(size.width)
      frame.height = Int32(size.height)
      defer { WebPPictureFree(&frame) }
      let plane = picture.planes[0]
      guard WebPPictureImportRGB(&frame, plane.base, Int32(plane.stride)) != 0,
        WebPAnimEncoderAdd(encoder, &frame, Int32(Int64(place) * milliseconds), &config) != 0
      else { throw failure("libwebp refused a picture") }
    }
    var data = WebPData()
    defer { WebPFree(UnsafeMutableRawPointer(mutating: data.bytes)) }
    guard WebPAnimEncoderAdd(encoder, nil, Int32(Int64(pictures.count) * milliseconds), nil) != 0,
      WebPAnimEncoderAssemble(encoder, &data) != 0, let bytes = data.bytes
    else { throw failure("libwebp could not assemble it") }
    return Array(UnsafeBufferPointer(start: bytes, count: data.size))
  }
}
