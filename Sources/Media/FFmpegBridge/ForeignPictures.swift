import CFFmpeg
import CHeif
import CShims
import CWebP
import FileAccess
import Glibc
import MediaCore

/// Pictures that FFmpeg 5.1 has no demuxer for: HEIF and AVIF by libheif, animated WebP by libwebp.
///
/// They are decoded here to RGBA and laid out as an uncompressed MOV in memory, which the demuxer then reads in the file's
/// place; so all that works on streams, packets and times works on them.
struct ForeignPictures {
  /// The stand-in, allocated by libav.
  let bytes: UnsafeMutablePointer<UInt8>
  let byteCount: Int
  /// What the file really is: `"heif"`, `"webp"`.
  let format: String
  let codec: String

  /// The pictures of `input`, nil when it is none of these formats.
  static func read(_ input: InputFile, environment: MediaEnvironment) throws(MediaError) -> ForeignPictures? {
    let head = input.descriptor.bytes(at: 0, count: 64)
    if isHEIF(head) { return try HEIFReader(input: input, environment: environment).read() }
    if isAnimatedWebP(head) { return try WebPReader(input: input, environment: environment).read() }
    return nil
  }

  /// ISO/IEC 23008-12, 10: the brands of still pictures. Sequences (`hevc`, `avis`) are video and left to FFmpeg.
  private static func isHEIF(_ head: [UInt8]) -> Bool {
    guard head.count >= 16, head[4..<8].elementsEqual("ftyp".utf8) else { return false }
    let brand = String(decoding: head[8..<12], as: UTF8.self)
    return ["heic", "heix", "heim", "heis", "mif1", "avif"].contains(brand)
  }

  /// RFC 9649, 2.7: the animation flag of the extended header.
  private static func isAnimatedWebP(_ head: [UInt8]) -> Bool {
    head.count >= 21 && head[0..<4].elementsEqual("RIFF".utf8) && head[8..<16].elementsEqual("WEBPVP8X".utf8) && head[20] & 2 != 0
  }

  /// All bytes of a file of compressed pictures.
  static func content(of input: InputFile, operation: String) throws(MediaError) -> [UInt8] {
    guard input.snapshot.byteCount <= 1 << 29 else {
      throw MediaError(
        .refused, operation, path: input.displayName, reason: "a picture file of \(input.snapshot.byteCount) bytes is too large")
    }
    let result = input.descriptor.bytes(at: 0, count: Int(input.snapshot.byteCount))
    guard result.count == Int(input.snapshot.byteCount) else {
      throw MediaError(
        .incomplete, operation, path: input.displayName, reason: "input is incomplete: only \(result.count) bytes could be read",
        advice: "check the disk or copy the file again")
    }
    return result
  }
}

/// Collects RGBA pictures into an uncompressed MOV in memory.
struct PictureMOV: ~Copyable {
  private let context: UnsafeMutablePointer<AVFormatContext>
  private let size: FrameSize
  private var isOpen = true

  /// Times are in milliseconds.
  init(size: FrameSize) throws(MediaError) {
    func failure() -> MediaError { MediaError(.refused, "cannot hold a picture", reason: "out of memory") }
    var made: UnsafeMutablePointer<AVFormatContext>?
    guard avformat_alloc_output_context2(&made, nil, "mov", nil) >= 0, let context = made else { throw failure() }
    guard avio_open_dyn_buf(&context.pointee.pb) >= 0 else {
      avformat_free_context(context)
      throw failure()
    }
    var bytes: UnsafeMutablePointer<UInt8>?
    func giveUp() {
      avio_close_dyn_buf(context.pointee.pb, &bytes)
      av_free(bytes)
      avformat_free_context(context)
    }
    guard let stream = avformat_new_stream(context, nil) else {
      giveUp()
      throw failure()
    }
    let parameters = stream.pointee.codecpar!
    parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
    parameters.pointee.codec_id = AV_CODEC_ID_RAWVIDEO
    parameters.pointee.codec_tag = 0x4142_4752  // 'RGBA'
    parameters.pointee.format = AV_PIX_FMT_RGBA.rawValue
    parameters.pointee.width = Int32(size.width)
    parameters.pointee.height = Int32(size.height)
    parameters.pointee.bits_per_coded_sample = 32
    stream.pointee.time_base = AVRational(num: 1, den: 1000)
    guard avformat_write_header(context, nil) >= 0 else {
      giveUp()
      throw failure()
    }
    self.context = context
    self.size = size
  }

  deinit {
    if isOpen {
      var bytes: UnsafeMutablePointer<UInt8>?
      avio_close_dyn_buf(context.pointee.pb, &bytes)
      av_free(bytes)
    }
    avformat_free_context(context)
  }

  /// Adds a picture of `stride` bytes a row.
  mutating func add(_ pixels: UnsafePointer<UInt8>, stride: Int, start: Int64, duration: Int64) throws(MediaError) {
    guard let packet = av_packet_alloc() else { throw MediaError(.refused, "cannot hold a picture", reason: "out of memory") }
    var owned: UnsafeMutablePointer<AVPacket>? = packet
    defer { av_packet_free(&owned) }
    let row = size.width * 4
    guard av_new_packet(packet, Int32(row * size.height)) >= 0 else {
      throw MediaError(.refused, "cannot hold a picture", reason: "out of memory")
    }
    for y in 0..<size.height { memcpy(packet.pointee.data + y * row, pixels + y * stride, row) }
    let unit = context.pointee.streams[0]!.pointee.time_base
    packet.pointee.pts = start
    packet.pointee.dts = start
    packet.pointee.duration = duration
    packet.pointee.flags = AV_PKT_FLAG_KEY
    av_packet_rescale_ts(packet, AVRational(num: 1, den: 1000), unit)
    guard av_write_frame(context, packet) >= 0 else { throw MediaError(.bug, "cannot hold a picture", reason: "it does not fit a MOV") }
  }

  /// Ends the file and hands it over.
  consuming func finish(format: String, codec: String) throws(MediaError) -> ForeignPictures {
    let status = av_write_trailer(context)
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = avio_close_dyn_buf(context.pointee.pb, &bytes)
    isOpen = false
    guard status >= 0, count > 0, let bytes else {
      av_free(bytes)
      throw MediaError(.refused, "cannot hold a picture", reason: "out of memory")
    }
    return ForeignPictures(bytes: bytes, byteCount: Int(count), format: format, codec: codec)
  }
}
