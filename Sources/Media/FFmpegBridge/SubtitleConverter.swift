import CFFmpeg
import CShims
public import FileAccess
public import MediaCore
public import Pipeline

/// The text subtitles of one stream in another format, optionally of a part. Use on one thread at a time.
///
/// Styles survive as far as the target has them. Subtitles that are pictures cannot be converted.
public final class SubtitleConverter: Source {
  public let stream: StreamInfo
  private let packets: PacketCopySource
  private let decoder: UnsafeMutablePointer<AVCodecContext>
  private let encoder: UnsafeMutablePointer<AVCodecContext>
  private let environment: MediaEnvironment
  /// Where the part that is wanted ends, on the timeline of the results; nil: with the input.
  private let end: MediaTime?
  /// Unit of the times of the results.
  public let timeBase = Rational(1, 1000)

  /// The encoder of text subtitles that a muxer takes; nil when it takes none.
  public static func encoder(forMuxer name: String) -> String? {
    switch name {
    case "mp4", "mov", "ipod": "mov_text"
    case "webm": "webvtt"
    case "matroska": "ass"
    default: nil
    }
  }

  /// Whether subtitles of that codec are text.
  public static func isText(_ stream: StreamInfo) -> Bool {
    guard let descriptor = avcodec_descriptor_get(stream.parameters.raw.pointee.codec_id) else { return false }
    return descriptor.pointee.props & AV_CODEC_PROP_TEXT_SUB != 0
  }

  /// - Parameter name: FFmpeg's name of the encoder: `"mov_text"`, `"webvtt"`, `"ass"`.
  /// - Throws: `unavailable` when this FFmpeg cannot decode or encode them.
  public init(
    _ input: InputFile, stream index: Int, to name: String, range: TimeRange = TimeRange(), environment: MediaEnvironment
  ) throws(MediaError) {
    let packets = try PacketCopySource(input, stream: index, range: range, environment: environment)
    let stream = packets.stream
    func failure(_ reason: String) -> MediaError {
      MediaError(.unavailable, "cannot convert the subtitles of \(input.displayName)", path: input.displayName, reason: reason)
    }
    guard let from = avcodec_find_decoder(stream.parameters.raw.pointee.codec_id), let decoder = avcodec_alloc_context3(from) else {
      throw failure("no decoder for \(stream.codec)")
    }
    var owned: UnsafeMutablePointer<AVCodecContext>? = decoder
    decoder.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    guard avcodec_parameters_to_context(decoder, stream.parameters.raw) >= 0,
      environment.diagnostics.collecting({
        decoder.pointee.pkt_timebase = stream.timeBase.avRational
        return avcodec_open2(decoder, from, nil)
      }) >= 0
    else {
      avcodec_free_context(&owned)
      throw failure("the decoder for \(stream.codec) does not take them")
    }
    guard let to = avcodec_find_encoder_by_name(name), let encoder = avcodec_alloc_context3(to) else {
      avcodec_free_context(&owned)
      throw failure("no encoder for \(name)")
    }
    encoder.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    encoder.pointee.time_base = AVRational(num: 1, den: 1000)
    let size = Int(decoder.pointee.subtitle_header_size)
    if size > 0, let header = decoder.pointee.subtitle_header,
      let copy = av_mallocz(size + 1)?.assumingMemoryBound(to: UInt8.self)
    {
      copy.update(from: header, count: size)
      encoder.pointee.subtitle_header = copy
      encoder.pointee.subtitle_header_size = Int32(size)
    }
    guard environment.diagnostics.collecting({ avcodec_open2(encoder, to, nil) }) >= 0 else {
      var second: UnsafeMutablePointer<AVCodecContext>? = encoder
      avcodec_free_context(&second)
      avcodec_free_context(&owned)
      throw failure("the encoder for \(name) does not take them")
    }
    self.packets = packets
    end = range.duration
    self.stream = stream
    self.decoder = decoder
    self.encoder = encoder
    self.environment = environment
  }

  deinit {
    var contexts: [UnsafeMutablePointer<AVCodecContext>?] = [decoder, encoder]
    for index in contexts.indices { avcodec_free_context(&contexts[index]) }
  }

  /// Adds a stream for the results to `muxer`.
  public func addStream(to muxer: inout Muxer, tags: Muxer.StreamTags) throws(MediaError) -> Int {
    try muxer.addStream(CodecParameters(of: encoder), unit: timeBase, tags: tags)
  }

  public func next() throws(MediaError) -> Packet? {
    while let packet = try packets.next() {
      var subtitle = AVSubtitle()
      var hasSubtitle: Int32 = 0
      let status = environment.diagnostics.collecting { avcodec_decode_subtitle2(decoder, &subtitle, &hasSubtitle, packet.raw) }
      if status < 0 {
        environment.damage.note("undecodable subtitle", stream: stream.index, time: packet.mediaDuration)
        continue
      }
      guard hasSubtitle != 0 else { continue }
      defer { avsubtitle_free(&subtitle) }
      guard subtitle.num_rects > 0 else { continue }
      let start = MediaTime(ticks: packet.presentationTicks ?? 0, timeBase: packet.timeBase).ticks(in: timeBase)
      var shown = packet.durationTicks > 0 ? packet.mediaDuration.ticks(in: timeBase) : Int64(subtitle.end_display_time)
      if let end { shown = min(shown, end.ticks(in: timeBase) - start) }
      guard shown > 0 || end == nil else { continue }
      subtitle.start_display_time = 0
      subtitle.end_display_time = UInt32(clamping: shown)
      subtitle.pts = start * 1000
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = buffer.withUnsafeMutableBufferPointer { avcodec_encode_subtitle(encoder, $0.baseAddress, Int32($0.count), &subtitle) }
      guard count >= 0 else {
        throw FFmpegError.make(count, "cannot convert a subtitle", fallback: .bug, diagnostics: environment.diagnostics)
      }
      guard count > 0 else { continue }
      let result = Packet()
      guard av_new_packet(result.raw, count) >= 0 else { throw MediaError(.refused, "cannot convert a subtitle", reason: "out of memory") }
      buffer.withUnsafeBufferPointer { result.raw.pointee.data.update(from: $0.baseAddress!, count: Int(count)) }
      result.timeBase = timeBase
      result.presentationTicks = start
      result.decodeTicks = start
      result.durationTicks = shown
      result.raw.pointee.flags = AV_PKT_FLAG_KEY
      return result
    }
    return nil
  }
}
