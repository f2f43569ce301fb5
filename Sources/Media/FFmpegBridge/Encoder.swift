import CFFmpeg
import CShims
import Glibc
public import MediaCore

/// Encodes frames of one kind. Not safe to share between threads.
///
/// Feed with `send`, take with `receive` until nil, `send(nil)` at the end and take the rest. A video encoder refuses
/// frames of another size or format than it was opened for, where libx264 would abort the process.
public struct Encoder: ~Copyable {
  /// What to encode to; every option by FFmpeg's name.
  public struct VideoSettings: Sendable {
    /// FFmpeg's encoder name: `"libx264"`.
    public var encoder: String
    public var size: FrameSize
    public var format: PixelFormat
    public var color: ColorTags
    /// Width : height of a sample. Default 1:1.
    public var sampleAspectRatio = Rational(1)
    /// Encode as fields, the first of which this says; progressive by default.
    public var fieldOrder = StreamInfo.FieldOrder.progressive
    /// Unit of the timestamps.
    public var timeBase: Rational
    /// 0/1 for a variable rate.
    public var frameRate: Rational
    /// 0 leaves the rate control to the options.
    public var bitRate: Int64 = 0
    /// Frames between keyframes at most; nil keeps the encoder's default.
    public var keyframeInterval: Int?
    public var maximumBFrames: Int?
    /// Private and generic options: `["preset": "medium", "crf": "20"]`.
    public var options: [String: String]
    /// Threads; 0 means the encoder's choice (not reproducible with some encoders).
    public var threads: Int
    /// Put parameter sets into the container's header (MP4, MOV, MKV), not before each keyframe.
    public var globalHeader: Bool
    /// Which of two passes this is. Default the only one.
    public var pass = Pass.only

    public init(
      encoder: String, size: FrameSize, format: PixelFormat = .yuv420p, color: ColorTags = .bt709, timeBase: Rational,
      frameRate: Rational = .zero, options: [String: String] = [:], threads: Int = 0, globalHeader: Bool = true
    ) {
      self.encoder = encoder
      self.size = size
      self.format = format
      self.color = color
      self.timeBase = timeBase
      self.frameRate = frameRate
      self.options = options
      self.threads = threads
      self.globalHeader = globalHeader
    }
  }

  /// Two passes over the same pictures: the first learns how hard they are, the second spends a bit rate where it is needed.
  public enum Pass: Hashable, Sendable {
    case only
    /// `path`: where an encoder that keeps its statistics in files begins their names.
    case first(path: String)
    /// `statistics`: what the encoder of the first pass had in its `statistics` at its end.
    case second(path: String, statistics: [UInt8])
  }

  /// What sound to encode to.
  public struct AudioSettings: Sendable {
    public var encoder: String
    public var sampleRate: Int
    public var channels: Int
    public var bitRate: Int64
    public var options: [String: String]
    public var globalHeader: Bool

    /// Defaults: 48 kHz stereo, 128 kbit/s.
    public init(
      encoder: String = "aac", sampleRate: Int = 48_000, channels: Int = 2, bitRate: Int64 = 128_000,
      options: [String: String] = [:], globalHeader: Bool = true
    ) {
      self.encoder = encoder
      self.sampleRate = sampleRate
      self.channels = channels
      self.bitRate = bitRate
      self.options = options
      self.globalHeader = globalHeader
    }
  }

  public let timeBase: Rational
  /// Samples that an audio encoder takes at once; 0 for any number, and for video.
  public let frameSampleCount: Int
  /// Samples that an audio encoder puts before the first one (priming).
  public let primingSampleCount: Int
  let context: UnsafeMutablePointer<AVCodecContext>
  private let name: String
  private let environment: MediaEnvironment
  private let size: FrameSize
  private let format: PixelFormat
  private var audioFormat: AVSampleFormat = AV_SAMPLE_FMT_NONE
  public private(set) var frameCount: Int64 = 0
  public private(set) var packetCount: Int64 = 0

  /// Opens a video encoder.
  ///
  /// - Throws: `unavailable` when this FFmpeg lacks the encoder, `usage` when an option is unknown or a value impossible.
  public init(video settings: VideoSettings, environment: MediaEnvironment) throws(MediaError) {
    let context = try Encoder.allocate(settings.encoder, environment)
    context.pointee.width = Int32(settings.size.width)
    context.pointee.height = Int32(settings.size.height)
    context.pointee.pix_fmt = settings.format.raw
    context.pointee.time_base = settings.timeBase.avRational
    if settings.frameRate.isPositive {
      context.pointee.framerate = settings.frameRate.avRational
      // libvpx takes this for the length of each picture, and in two passes spends the bits of that time.
      if settings.encoder.hasPrefix("libvpx") {
        let ticks = (settings.frameRate.reciprocal / settings.timeBase).rounded
        context.pointee.ticks_per_frame = Int32(clamping: max(1, ticks))
      }
    }
    context.pointee.sample_aspect_ratio = settings.sampleAspectRatio.avRational
    if settings.fieldOrder == .topFirst || settings.fieldOrder == .bottomFirst {
      context.pointee.flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME
      context.pointee.field_order = settings.fieldOrder == .topFirst ? AV_FIELD_TT : AV_FIELD_BB
    }
    context.pointee.colorspace = AVColorSpace(UInt32(settings.color.matrix.rawValue))
    context.pointee.color_range = AVColorRange(UInt32(settings.color.range.rawValue))
    context.pointee.color_primaries = AVColorPrimaries(UInt32(settings.color.primaries.rawValue))
    context.pointee.color_trc = AVColorTransferCharacteristic(UInt32(settings.color.transfer.rawValue))
    context.pointee.chroma_sample_location = AVChromaLocation(UInt32(settings.color.chromaLocation.rawValue))
    context.pointee.bit_rate = settings.bitRate
    if let interval = settings.keyframeInterval { context.pointee.gop_size = Int32(interval) }
    if let count = settings.maximumBFrames { context.pointee.max_b_frames = Int32(count) }
    context.pointee.thread_count = Int32(settings.threads)
    if settings.globalHeader { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
    let options = Encoder.setPass(settings, on: context)
    try Encoder.open(context, settings.encoder, options, environment)
    name = settings.encoder
    size = settings.size
    format = settings.format
    timeBase = settings.timeBase
    frameSampleCount = 0
    primingSampleCount = 0
    self.environment = environment
    self.context = context
  }

  /// Opens an audio encoder. It takes `AudioBlock`s of its rate and channel count.
  public init(audio settings: AudioSettings, environment: MediaEnvironment) throws(MediaError) {
    let context = try Encoder.allocate(settings.encoder, environment)
    context.pointee.sample_rate = Int32(settings.sampleRate)
    av_channel_layout_default(&context.pointee.ch_layout, Int32(settings.channels))
    let format = Encoder.sampleFormat(of: context.pointee.codec)
    context.pointee.sample_fmt = format
    context.pointee.bit_rate = settings.bitRate
    context.pointee.time_base = AVRational(num: 1, den: Int32(settings.sampleRate))
    if settings.globalHeader { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
    try Encoder.open(context, settings.encoder, settings.options, environment)
    name = settings.encoder
    size = FrameSize(0, 0)
    self.format = .gray8
    audioFormat = format
    timeBase = Rational(1, Int64(settings.sampleRate))
    let variable = context.pointee.codec.pointee.capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE != 0
    frameSampleCount = variable ? 0 : Int(context.pointee.frame_size)
    primingSampleCount = Int(context.pointee.initial_padding)
    self.environment = environment
    self.context = context
  }

  deinit {
    var context: UnsafeMutablePointer<AVCodecContext>? = context
    // libavcodec leaves this one to whoever set it.
    av_freep(&context!.pointee.stats_in)
    avcodec_free_context(&context)
  }

  /// In the first of two passes, after all packets were taken: what the second one needs. Empty for encoders that keep it in files.
  public var statistics: [UInt8] {
    guard let text = context.pointee.stats_out else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  /// Tells `context` which pass it is; returns the options with what the encoder takes as options.
  private static func setPass(_ settings: VideoSettings, on context: UnsafeMutablePointer<AVCodecContext>) -> [String: String] {
    var options = settings.options
    let (number, path): (Int, String)
    switch settings.pass {
    case .only: return options
    case .first(let place):
      context.pointee.flags |= AV_CODEC_FLAG_PASS1
      (number, path) = (1, place)
    case .second(let place, let statistics):
      context.pointee.flags |= AV_CODEC_FLAG_PASS2
      if !statistics.isEmpty { context.pointee.stats_in = av_strdup(String(decoding: statistics, as: UTF8.self)) }
      (number, path) = (2, place)
    }
    // libx265 is not told of the flags.
    if settings.encoder == "libx264" { options["stats"] = path }
    if settings.encoder == "libx265" {
      options["x265-params"] = [options["x265-params"], "pass=\(number)", "stats=\(path)"].compactMap(\.self).joined(separator: ":")
    }
    return options
  }

  /// Of the pixel formats that an encoder takes, the one that loses least of `format`; nil when it takes any or is not there.
  public static func nearestFormat(to format: PixelFormat, encoder name: String) -> PixelFormat? {
    guard let list = avcodec_find_encoder_by_name(name)?.pointee.pix_fmts else { return nil }
    var loss: Int32 = 0
    let best = avcodec_find_best_pix_fmt_of_list(list, format.withoutRange.raw, format.hasAlpha ? 1 : 0, &loss)
    return best == AV_PIX_FMT_NONE ? nil : PixelFormat(best).withoutRange
  }

  /// Whether this FFmpeg has an encoder of that name.
  public static func isAvailable(_ name: String) -> Bool { avcodec_find_encoder_by_name(name) != nil }

  private static func allocate(_ name: String, _ environment: MediaEnvironment) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
    guard let codec = avcodec_find_encoder_by_name(name) else {
      throw MediaError(
        .unavailable, "cannot encode with \(name)", reason: "this FFmpeg has no encoder of that name", advice: "see reel doctor")
    }
    guard let context = avcodec_alloc_context3(codec) else {
      throw MediaError(.refused, "cannot encode with \(name)", reason: "out of memory")
    }
    context.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    return context
  }

  /// Opens `context`, or frees it and throws.
  private static func open(
    _ context: UnsafeMutablePointer<AVCodecContext>, _ name: String, _ options: [String: String], _ environment: MediaEnvironment
  ) throws(MediaError) {
    var dictionary: OpaquePointer?
    defer { av_dict_free(&dictionary) }
    for (key, value) in options { av_dict_set(&dictionary, key, value, 0) }
    let isHardware = context.pointee.codec.pointee.capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID) != 0
    let status = environment.diagnostics.collecting { avcodec_open2(context, context.pointee.codec, &dictionary) }
    let unknown = Demuxer.dictionary(dictionary).keys.sorted()
    guard status >= 0, unknown.isEmpty else {
      var context: UnsafeMutablePointer<AVCodecContext>? = context
      avcodec_free_context(&context)
      if status >= 0 {
        throw MediaError(.usage, "cannot encode with \(name)", reason: "it has no option \(unknown.joined(separator: ", "))")
      }
      if isHardware {
        throw MediaError(
          .unavailable, "cannot encode with \(name)", reason: "its device cannot be opened: \(FFmpegError.text(status))",
          advice: "on a machine that has it, its driver must be installed and --isolation none be given",
          details: environment.diagnostics.lines)
      }
      throw FFmpegError.opening(status, "cannot encode with \(name)", fallback: .usage, diagnostics: environment.diagnostics)
    }
  }

  /// Float where the encoder takes it, else its first choice.
  private static func sampleFormat(of codec: UnsafePointer<AVCodec>) -> AVSampleFormat {
    guard var cursor = codec.pointee.sample_fmts else { return AV_SAMPLE_FMT_FLTP }
    let first = cursor.pointee
    while cursor.pointee != AV_SAMPLE_FMT_NONE {
      if cursor.pointee == AV_SAMPLE_FMT_FLTP { return AV_SAMPLE_FMT_FLTP }
      cursor += 1
    }
    return first
  }

  /// Hands in a picture with its time in `timeBase` units, or nil at the end.
  ///
  /// - Parameter forceKeyframe: makes this picture one that decoding can start at (IDR).
  public mutating func send(_ frame: VideoFrame?, ticks: Int64 = 0, forceKeyframe: Bool = false) throws(MediaError) {
    guard let frame else { return try send(raw: nil) }
    guard frame.size == size, frame.format.withoutRange == format.withoutRange else {
      throw MediaError(
        .bug, "cannot encode with \(name)", reason: "a frame is \(frame.size) \(frame.format.name), expected \(size) \(format.name)")
    }
    let copy = VideoFrame.reference(frame.raw)
    var owned: UnsafeMutablePointer<AVFrame>? = copy
    defer { av_frame_free(&owned) }
    copy.pointee.pts = ticks
    copy.pointee.pkt_dts = rw_no_timestamp
    copy.pointee.pkt_duration = frame.duration.ticks(in: timeBase)
    copy.pointee.sample_aspect_ratio = context.pointee.sample_aspect_ratio
    copy.pointee.pict_type = forceKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    // Side data of the source (A/53 captions, user SEI, HDR) would be written into the stream.
    while copy.pointee.nb_side_data > 0 { av_frame_remove_side_data(copy, copy.pointee.side_data[0]!.pointee.type) }
    frameCount += 1
    try send(raw: copy)
  }

  /// Hands in samples; `block.start` is their time. Fixed-size encoders take `frameSampleCount`, less only at the end.
  public mutating func send(_ block: AudioBlock) throws(MediaError) {
    let frame = VideoFrame.allocate()
    var owned: UnsafeMutablePointer<AVFrame>? = frame
    defer { av_frame_free(&owned) }
    frame.pointee.format = audioFormat.rawValue
    frame.pointee.sample_rate = context.pointee.sample_rate
    frame.pointee.nb_samples = Int32(block.sampleCount)
    av_channel_layout_copy(&frame.pointee.ch_layout, &context.pointee.ch_layout)
    guard block.channels.count == Int(context.pointee.ch_layout.nb_channels), av_frame_get_buffer(frame, 0) >= 0 else {
      throw MediaError(.bug, "cannot encode with \(name)", reason: "the sound has \(block.channels.count) channels")
    }
    frame.pointee.pts = block.start
    for (channel, samples) in block.channels.enumerated() {
      samples.withUnsafeBufferPointer { AudioSamples.store($0, in: frame, channel: channel, format: audioFormat) }
    }
    frameCount += 1
    try send(raw: frame)
  }

  private mutating func send(raw: UnsafeMutablePointer<AVFrame>?) throws(MediaError) {
    let status = avcodec_send_frame(context, raw)
    guard status >= 0 || status == rw_error_end else {
      throw FFmpegError.make(status, "cannot encode with \(name)", fallback: .bug, diagnostics: environment.diagnostics)
    }
  }

  /// The next packet that is ready, nil when the encoder wants more frames or has ended.
  public mutating func receive() throws(MediaError) -> Packet? {
    let packet = Packet()
    let status = avcodec_receive_packet(context, packet.raw)
    if status == rw_error_again || status == rw_error_end { return nil }
    guard status >= 0 else {
      throw FFmpegError.make(status, "cannot encode with \(name)", fallback: .bug, diagnostics: environment.diagnostics)
    }
    packet.timeBase = timeBase
    packetCount += 1
    return packet
  }
}

/// Writes float samples in an encoder's sample format.
private enum AudioSamples {
  static func store(_ samples: UnsafeBufferPointer<Float>, in frame: UnsafeMutablePointer<AVFrame>, channel: Int, format: AVSampleFormat) {
    let planar = av_sample_fmt_is_planar(format) != 0
    let stride = planar ? 1 : Int(frame.pointee.ch_layout.nb_channels)
    let data = UnsafeMutableRawPointer(frame.pointee.extended_data[planar ? channel : 0]!)
    let first = planar ? 0 : channel
    func clamped(_ value: Float, _ scale: Float) -> Float { max(-scale, min(scale - 1, (value * scale).rounded())) }
    switch av_get_packed_sample_fmt(format) {
    case AV_SAMPLE_FMT_FLT:
      let target = data.assumingMemoryBound(to: Float.self)
      for i in 0..<samples.count { target[first &+ i &* stride] = samples[i] }
    case AV_SAMPLE_FMT_S16:
      let target = data.assumingMemoryBound(to: Int16.self)
      for i in 0..<samples.count { target[first &+ i &* stride] = Int16(clamped(samples[i], 32768)) }
    case AV_SAMPLE_FMT_S32:
      let target = data.assumingMemoryBound(to: Int32.self)
      for i in 0..<samples.count {
        target[first &+ i &* stride] = Int32(clamping: Int64((Double(samples[i]) * 2_147_483_648).rounded()))
      }
    default:
      let target = data.assumingMemoryBound(to: Double.self)
      for i in 0..<samples.count { target[first &+ i &* stride] = Double(samples[i]) }
    }
  }
}
