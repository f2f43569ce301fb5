public import MediaCore

/// A named set of output settings. Every field can be overridden.
public struct EncodePreset: Sendable {
  public var name: String
  /// One line for lists and help.
  public var summary: String
  public var container = "mp4"
  public var codec = "h264"
  /// x264's preset names; mapped to the other encoders' scales.
  public var speed = "medium"
  /// On the encoder's own scale; nil takes the codec's default.
  public var quality: Double?
  /// Constant target in bit/s instead of a quality.
  public var bitRate: Int64?
  /// Spread the bit rate in two passes over all pictures: everything is decoded and composed twice. Needs a bit rate. Default off.
  public var isTwoPass = false
  /// Cap in bit/s.
  public var maximumBitRate: Int64?
  public var profile: String?
  /// Seconds between keyframes at most; nil the encoder's default.
  public var keyframeSeconds: Int64?
  /// The size that platforms show; compositions take their canvas instead, `encode` fits into it.
  public var bounds: FrameSize?
  /// Frames a second at most; nil keeps the source's.
  public var maximumFrameRate: Rational?
  public var pixelFormat: String?
  /// MP4 and MOV in fragments that can be played while they are written, without an index at the front. Default off.
  public var isFragmented = false
  public var audioEncoder = "aac"
  public var audioBitRate: Int64 = 128_000
  public var audioSampleRate = 48_000

  public init(name: String, summary: String) {
    self.name = name
    self.summary = summary
  }

  /// The presets by name, in the order of lists.
  public static let all: [EncodePreset] = {
    func platform(_ name: String, _ summary: String, _ bounds: FrameSize, cap: Int64, audio: Int64 = 128_000) -> EncodePreset {
      var preset = EncodePreset(name: name, summary: summary)
      preset.quality = 20
      preset.maximumBitRate = cap
      preset.profile = "high"
      preset.keyframeSeconds = 2
      preset.bounds = bounds
      preset.maximumFrameRate = Rational(60)
      preset.audioBitRate = audio
      return preset
    }
    func animation(_ name: String, _ summary: String) -> EncodePreset {
      var preset = EncodePreset(name: name, summary: summary)
      preset.container = name
      preset.codec = name
      preset.bounds = FrameSize(480, 480)
      preset.maximumFrameRate = Rational(25, 2)
      return preset
    }
    var standard = EncodePreset(name: "standard", summary: "H.264 at CRF 20, size and rate of the source (the default)")
    standard.profile = "high"
    var draft = EncodePreset(name: "draft", summary: "fast H.264 for looking at a result")
    draft.speed = "ultrafast"
    draft.quality = 28
    var master = EncodePreset(name: "master", summary: "ProRes 422 HQ in MOV with PCM sound, for further editing")
    master.container = "mov"
    master.codec = "prores"
    master.audioEncoder = "pcm_s16le"
    return [
      standard,
      platform("tiktok", "1080x1920, H.264 High, at most 12 Mbit/s", FrameSize(1080, 1920), cap: 12_000_000),
      platform("reels", "1080x1920, H.264 High, at most 10 Mbit/s", FrameSize(1080, 1920), cap: 10_000_000),
      platform("shorts", "1080x1920, H.264 High, at most 15 Mbit/s", FrameSize(1080, 1920), cap: 15_000_000, audio: 192_000),
      platform("youtube", "1920x1080, H.264 High, at most 16 Mbit/s", FrameSize(1920, 1080), cap: 16_000_000, audio: 192_000),
      platform("feed", "1080x1350 (4:5), H.264 High, at most 8 Mbit/s", FrameSize(1080, 1350), cap: 8_000_000),
      platform("square", "1080x1080, H.264 High, at most 8 Mbit/s", FrameSize(1080, 1080), cap: 8_000_000),
      master, draft,
      animation("gif", "a looping preview without sound, at most 480x480 and 12.5 pictures a second (of documents)"),
      animation("webp", "the same as WebP, smaller and in full colour (of documents)"),
    ]
  }()

  /// Those that videos can be encoded with.
  public static let videos = all.filter { !$0.isAnimation }

  /// Whether it makes looping animations, which compositions only are turned into.
  public var isAnimation: Bool { codec == "gif" || codec == "webp" }

  /// - Throws: `usage` when there is none of that name.
  public static func named(_ name: String) throws(MediaError) -> EncodePreset {
    guard let preset = all.first(where: { $0.name == name }) else {
      throw MediaError(
        .usage, "cannot use the preset \(name)", reason: "there is none of that name",
        advice: "use one of \(all.map(\.name).joined(separator: ", "))")
    }
    return preset
  }
}
