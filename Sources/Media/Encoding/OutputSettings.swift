public import FFmpegBridge
public import MediaCore

/// All that decides how one output is encoded and packed.
public struct OutputSettings: Sendable {
  public var container: String
  public var codec: VideoCodec
  public var preset: EncodePreset
  public var pixelFormat: PixelFormat
  /// Encoder threads; 0 leaves it to the encoder.
  public var threads = 0
  public var metadata: [String: String] = [:]
  public var chapters: [Demuxer.Chapter] = []
  public var videoTags = Muxer.StreamTags()
  public var audioTags = Muxer.StreamTags()
  /// Channels of encoded sound. Default stereo.
  public var audioChannels = 2
  /// Write each picture's orientation into the file, for pictures that were not turned upright. Default off.
  public var keepsOrientation = false
  /// The light of HDR pictures as their container states it. Pictures that are not HDR any more go without.
  public var hdr: HDRMetadata?
  /// The field that comes first in pictures that were left interlaced.
  public var fieldOrder = StreamInfo.FieldOrder.progressive

  /// - Parameters:
  ///   - preset: the values to start from.
  ///   - outputExtension: decides the container: `"mp4"`, `"mov"`, `"mkv"`, `"webm"` … Nil or empty takes that of the preset.
  ///   - audioCodec: what to encode sound to, a name in `audioCodecs`; nil takes that of the preset or the container.
  ///   - isCodecFixed: whether the preset's codec was asked for by name: no container changes it. Default false.
  ///   - copiesVideo: whether pictures are not encoded, so that their codec is none of the settings' business.
  /// - Throws: `usage` for an extension that no container has, and when the container cannot hold the codec.
  public init(
    preset: EncodePreset, outputExtension: String?, audioCodec: String? = nil, isCodecFixed: Bool = false, copiesVideo: Bool = false
  ) throws(MediaError) {
    var preset = preset
    guard !preset.isAnimation else {
      throw MediaError(
        .usage, "cannot encode to \(preset.codec)", reason: "animations are made of documents and of single frames",
        advice: "use reel render, or reel frames --preview")
    }
    let named = outputExtension.flatMap { $0.isEmpty ? nil : $0 }
    if let named, OutputSettings.containers[named] == nil {
      throw MediaError(
        .usage, "cannot write a .\(named) file", reason: "no container has that extension",
        advice: "use \(OutputSettings.containers.keys.sorted().map { "." + $0 }.joined(separator: ", "))")
    }
    let container = named ?? preset.container
    if container == "webm" && preset.codec == "h264" && !isCodecFixed { preset.codec = "vp9" }
    let codec = try VideoCodec.named(preset.codec)
    guard copiesVideo || codec.containers.contains(container) || OutputSettings.isAudioOnly(container) else {
      throw MediaError(
        .usage, "cannot write \(codec.name) into .\(container)", reason: "that container does not hold it",
        advice: "use \(codec.containers.map { "." + $0 }.joined(separator: " or "))")
    }
    if container == "webm" || container == "mkv" && codec.name == "vp9" { preset.audioEncoder = "libopus" }
    if let encoder = OutputSettings.audioEncoders[container] { preset.audioEncoder = encoder }
    if let audioCodec {
      guard let encoder = OutputSettings.audioCodecs.first(where: { $0.name == audioCodec })?.encoder else {
        throw MediaError(
          .usage, "cannot encode sound to \(audioCodec)", reason: "there is no codec of that name",
          advice: "use one of \(OutputSettings.audioCodecs.map(\.name).joined(separator: ", "))")
      }
      preset.audioEncoder = encoder
    }
    guard let format = PixelFormat(name: preset.pixelFormat ?? codec.defaultPixelFormat) else {
      throw MediaError(.usage, "cannot encode to \(preset.pixelFormat ?? "")", reason: "there is no pixel format of that name")
    }
    if preset.isFragmented, !["mp4", "mov", "m4v"].contains(container) {
      throw MediaError(
        .usage, "cannot write fragments into .\(container)", reason: "MP4 and MOV alone have them", advice: "write an .mp4 file")
    }
    if preset.isTwoPass, !copiesVideo {
      guard preset.bitRate != nil else {
        throw MediaError(
          .usage, "cannot encode in two passes", reason: "two passes spread a bit rate, and there is none",
          advice: "give a bit rate, or keep to the quality that one pass is for")
      }
      if let obstacle = codec.twoPassObstacle {
        throw MediaError(
          .unavailable, "cannot encode to \(codec.name) in two passes", reason: obstacle,
          advice: "use h264, hevc or vp9, or one pass")
      }
    }
    self.container = container
    self.codec = codec
    self.preset = preset
    pixelFormat = format
    videoTags.codecTag = container == "mkv" || container == "webm" ? nil : codec.codecTag
  }

  /// FFmpeg's muxer for each file name extension.
  public static let containers = [
    "mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "m4a": "ipod", "mp3": "mp3", "wav": "wav",
    "flac": "flac", "ogg": "ogg", "opus": "opus",
  ]
  private static let audioEncoders = [
    "mp3": "libmp3lame", "wav": "pcm_s16le", "flac": "flac", "ogg": "libvorbis", "opus": "libopus", "m4a": "aac",
  ]

  /// Whether FFmpeg's muxer of that name can hold a stream as it is.
  public static func canHold(_ stream: StreamInfo, muxer: String) -> Bool { Muxer.canHold(stream, format: muxer) }

  /// The codecs that sound can be encoded to, by public name, and FFmpeg's encoder of each.
  public static let audioCodecs: [(name: String, encoder: String)] = [
    ("aac", "aac"), ("opus", "libopus"), ("mp3", "libmp3lame"), ("vorbis", "libvorbis"), ("flac", "flac"), ("ac3", "ac3"),
    ("pcm", "pcm_s16le"),
  ]

  /// Whether files of that kind hold sound alone.
  public static func isAudioOnly(_ container: String) -> Bool { audioEncoders[container] != nil }

  public var muxerName: String { OutputSettings.containers[container] ?? "mp4" }
  var muxerOptions: [String: String] {
    switch muxerName {
    case "mp4", "mov", "ipod": ["movflags": preset.isFragmented ? "+frag_keyframe+delay_moov+default_base_moof" : "+faststart"]
    default: [:]
    }
  }

  func video(size: FrameSize, color: ColorTags, timeBase: Rational, frameRate: Rational) -> Encoder.VideoSettings {
    let quality = preset.bitRate == nil ? preset.quality ?? codec.defaultQuality : nil
    var settings = Encoder.VideoSettings(
      encoder: codec.encoder, size: size, format: pixelFormat, color: color, timeBase: timeBase, frameRate: frameRate,
      options: codec.options(speed: preset.speed, quality: quality, maximumBitRate: preset.maximumBitRate), threads: threads)
    settings.bitRate = preset.bitRate ?? 0
    if let profile = preset.profile, codec.encoder == "libx264" { settings.options["profile"] = profile }
    if let seconds = preset.keyframeSeconds {
      let rate = frameRate.isPositive ? frameRate : Rational(30)
      settings.keyframeInterval = Int(max(1, (rate * Rational(seconds)).rounded))
    }
    return settings
  }

  /// Hertz.
  public var audioSampleRate: Int { audio.sampleRate }

  var audio: Encoder.AudioSettings {
    Encoder.AudioSettings(
      encoder: preset.audioEncoder, sampleRate: preset.audioEncoder == "libopus" ? 48_000 : preset.audioSampleRate,
      channels: audioChannels,
      bitRate: preset.audioEncoder.hasPrefix("pcm") || preset.audioEncoder == "flac" ? 0 : preset.audioBitRate)
  }
}
