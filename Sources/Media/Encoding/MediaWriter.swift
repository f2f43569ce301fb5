public import FFmpegBridge
public import FileAccess
public import MediaCore
public import Pipeline

/// Encodes pictures and sound and packs them into one file: the sink of a run.
///
/// Runs on the calling thread; always pulls the stream that is behind, so that neither has to be buffered.
public struct MediaWriter {
  /// What was written.
  public struct Summary: Hashable, Sendable, Codable {
    public var frames: Int64 = 0
    public var size: FrameSize?
    public var videoCodec: String?
    public var audioCodec: String?
    public var audioSamples: Int64 = 0
    public var durationSeconds: Double = 0
    public var bytes: Int64 = 0

    public init() {}
  }

  public var settings: OutputSettings
  public var environment: MediaEnvironment
  public var ledger: Ledger
  /// Indices of pictures that must be keyframes.
  public var keyframes: Set<Int64> = []
  /// Unit of the picture times; nil derives it from the first picture's duration.
  public var timeBase: Rational?
  /// Constant frame rate to state; 0/1 for a variable one.
  public var frameRate = Rational.zero
  /// About how many pictures there are a second where the rate varies; 0/1 when that is not known. Some encoders count on it.
  public var typicalFrameRate = Rational.zero
  /// What `learn` has learnt.
  var learnt: LearntStatistics?
  /// Total length, where known, for progress.
  public var expectedDuration: MediaTime?
  public var meter: ProgressMeter?
  /// Where finished runs of pictures are kept; nil, the default: nowhere. Codecs whose segments cannot follow each other, bit rates that
  /// are kept over the whole, interlaced pictures and wanted keyframes are encoded in one go.
  public var checkpoints: EncodeCheckpoints?

  public init(settings: OutputSettings, environment: MediaEnvironment, ledger: Ledger) {
    self.settings = settings
    self.environment = environment
    self.ledger = ledger
  }

  /// Writes everything that `video`, `audio` and `tracks` give into `output`.
  ///
  /// - Throws: `damaged` when there is neither a picture nor a sample; whatever the sources, encoders and the disk report.
  public func write(
    video: (any Source<VideoFrame>)?, audio: (any Source<AudioBlock>)?, tracks: [OutputTrack] = [], to output: OutputFile
  ) throws(MediaError) -> Summary {
    var summary = Summary()
    var muxer = try Muxer(format: settings.muxerName, output: output, environment: environment)
    var lanes: [Lane] = []

    for track in tracks where track.isVideo { try add(track, to: &muxer, lanes: &lanes, summary: &summary) }
    if let video {
      guard let first = try video.next() else {
        throw MediaError(
          .damaged, "cannot encode \(output.displayName)", path: output.displayName, reason: "no picture could be decoded",
          details: environment.diagnostics.lines)
      }
      lanes.append(try lane(first, rest: video, muxer: &muxer))
      summary.size = first.size
      summary.videoCodec = settings.codec.name
    }
    var audioSource: AudioEncodeSource?
    if let audio, let made = try source(audio, settings.audio, muxer) {
      audioSource = made
      lanes.append(
        Lane(source: made, index: try made.addStream(to: &muxer, tags: settings.audioTags), timeBase: made.timeBase, isVideo: false))
      summary.audioCodec = settings.preset.audioEncoder
    }
    for track in tracks where !track.isVideo { try add(track, to: &muxer, lanes: &lanes, summary: &summary) }
    guard !lanes.isEmpty else {
      throw MediaError(
        .damaged, "cannot encode \(output.displayName)", path: output.displayName, reason: "no sound could be decoded",
        details: environment.diagnostics.lines)
    }
    for chapter in settings.chapters { muxer.addChapter(chapter) }
    try muxer.start(metadata: settings.metadata, options: settings.muxerOptions)

    try pack(lanes, into: &muxer, &summary, showsProgress: video == nil)
    if video != nil { try ledger.reconcile("cannot encode \(output.displayName)", given: ["encoded", "fromCache"], taken: ["muxed"]) }
    summary.audioSamples = audioSource?.sampleCount ?? 0
    summary.bytes = muxer.byteCount
    meter?.finish()
    return summary
  }

  /// Pulls packets from the stream that is behind until all have ended, and finishes the file.
  ///
  /// - Parameter showsProgress: whether progress is that of the packets, because no picture is encoded that would show it.
  func pack(_ lanes: [Lane], into muxer: inout Muxer, _ summary: inout Summary, showsProgress: Bool) throws(MediaError) {
    let name = muxer.output.displayName
    while let lane = try MediaWriter.laneBehind(lanes) {
      guard let packet = lane.take() else { continue }
      try environment.cancellation.check("encoding \(name)")
      summary.durationSeconds = max(summary.durationSeconds, lane.end(of: packet))
      try muxer.write(packet, to: lane.index)
      if lane.isVideo {
        ledger.book("muxed")
        summary.frames += 1
        if showsProgress { meter?.advance(fraction: expectedDuration.map { min(1, lane.position / max($0.doubleValue, 0.001)) }) }
      } else {
        meter?.advance(
          by: 0, fraction: showsProgress && summary.frames == 0 ? expectedDuration.map { lane.position / max($0.doubleValue, 0.001) } : nil)
      }
    }
    try muxer.finish()
  }

  /// The lane of the pictures: the first one opens the encoder.
  private func lane(_ first: VideoFrame, rest: any Source<VideoFrame>, muxer: inout Muxer) throws(MediaError) -> Lane {
    let hdr = hdr(of: first)
    var encoding = encoding(of: first)
    encoding.globalHeader = muxer.wantsGlobalHeader
    if let learnt { encoding.pass = .second(path: learnt.place.path, statistics: learnt.statistics) }
    let (meter, total) = (meter, expectedDuration?.doubleValue)
    let onFrame: (MediaTime) -> Void = { time in
      meter?.advance(fraction: total.flatMap { $0 > 0 ? min(1, time.doubleValue / $0) : nil })
    }
    var tags = settings.videoTags
    tags.frameRate = frameRate
    tags.hdr = hdr
    if settings.keepsOrientation { tags.orientation = first.orientation }
    let isWhole = settings.preset.bitRate != nil || !keyframes.isEmpty || [.topFirst, .bottomFirst].contains(settings.fieldOrder)
    if let checkpoints, settings.codec.joinsSegments, !isWhole {
      let source = try CheckpointedEncodeSource(
        first: first, rest: rest, settings: encoding, checkpoints: checkpoints, ledger: ledger, environment: environment, onFrame: onFrame)
      let index = try muxer.addStream(source.stream, tags: tags)
      return Lane(source: source, index: index, timeBase: source.stream.timeBase, isVideo: true)
    }
    let source = try VideoEncodeSource(
      first: first, rest: rest, settings: encoding, keyframes: keyframes, ledger: ledger, environment: environment, onFrame: onFrame)
    return Lane(source: source, index: try source.addStream(to: &muxer, tags: tags), timeBase: source.timeBase, isVideo: true)
  }

  /// The light of HDR pictures: what the pictures themselves say comes before what the container says.
  private func hdr(of first: VideoFrame) -> HDRMetadata? { first.resolvedColor.isHDR ? first.hdrMetadata ?? settings.hdr : nil }

  /// How pictures like `first` are encoded.
  func encoding(of first: VideoFrame) -> Encoder.VideoSettings {
    let unit = timeBase ?? MediaWriter.timeBase(for: first)
    var encoding = settings.video(size: first.size, color: first.resolvedColor, timeBase: unit, frameRate: frameRate)
    if !frameRate.isPositive, settings.codec.needsFrameRate {
      encoding.frameRate = min(typicalFrameRate.isPositive ? typicalFrameRate : Rational(30), Rational(240))
    }
    encoding.sampleAspectRatio = first.sampleAspectRatio
    encoding.fieldOrder = settings.fieldOrder
    if let hdr = hdr(of: first) { settings.codec.state(hdr, in: &encoding.options) }
    return encoding
  }

  /// Nil when there is no sample.
  private func source(
    _ blocks: any Source<AudioBlock>, _ wanted: Encoder.AudioSettings, _ muxer: borrowing Muxer
  ) throws(MediaError) -> AudioEncodeSource? {
    guard let first = try blocks.next() else { return nil }
    var encoding = wanted
    encoding.globalHeader = muxer.wantsGlobalHeader
    return try AudioEncodeSource(first: first, rest: blocks, settings: encoding, environment: environment)
  }

  private func add(
    _ track: OutputTrack, to muxer: inout Muxer, lanes: inout [Lane], summary: inout Summary
  ) throws(MediaError) {
    switch track.content {
    case .sound(let blocks, let channels, let rate):
      var encoding = settings.audio
      encoding.channels = channels
      encoding.sampleRate = rate
      guard let made = try source(blocks, encoding, muxer) else { return }
      lanes.append(Lane(source: made, index: try made.addStream(to: &muxer, tags: track.tags), timeBase: made.timeBase, isVideo: false))
      summary.audioCodec = summary.audioCodec ?? settings.preset.audioEncoder
    case .copy(let packets):
      let stream = packets.stream
      guard muxer.canHold(stream) else {
        throw MediaError(
          .usage, "cannot copy stream \(stream.index) into \(muxer.output.displayName)", path: muxer.output.displayName,
          reason: "a .\(settings.container) file cannot hold \(stream.kind.rawValue) of the codec \(stream.codec)",
          advice: "write a .mkv file, or encode it")
      }
      let index = try muxer.addStream(copying: stream, tags: track.tags)
      lanes.append(Lane(source: packets, index: index, timeBase: stream.timeBase, isVideo: stream.kind == .video))
      if stream.kind == .video {
        summary.size = stream.size
        summary.videoCodec = stream.codec
      } else if stream.kind == .audio {
        summary.audioCodec = summary.audioCodec ?? stream.codec
      }
    case .subtitles(let converter):
      let index = try converter.addStream(to: &muxer, tags: track.tags)
      lanes.append(Lane(source: converter, index: index, timeBase: converter.timeBase, isVideo: false))
    case .attachment(let stream):
      _ = try muxer.addStream(copying: stream, tags: track.tags)
    }
  }

  /// Fine enough for the first picture's duration to be exact, or 1/90000.
  static func timeBase(for frame: VideoFrame) -> Rational {
    let rate = frame.duration.seconds.reciprocal
    guard rate.isPositive, rate.numerator <= 1_000_000 else { return Rational(1, 90_000) }
    var unit = rate.numerator
    while unit < 10_000 { unit *= 2 }
    return Rational(1, unit)
  }

  /// The stream whose next packet comes first in time; nil when all have ended.
  private static func laneBehind(_ lanes: [Lane]) throws(MediaError) -> Lane? {
    var best: Lane?
    for lane in lanes {
      guard try lane.fill() else { continue }
      if let other = best, other.position <= lane.position { continue }
      best = lane
    }
    return best
  }
}

/// One stream on its way into the muxer, with its next packet.
final class Lane {
  let source: any Source<Packet>
  let index: Int
  let timeBase: Rational
  let isVideo: Bool
  private var packet: Packet?
  private var isEnded = false

  init(source: any Source<Packet>, index: Int, timeBase: Rational, isVideo: Bool) {
    self.source = source
    self.index = index
    self.timeBase = timeBase
    self.isVideo = isVideo
  }

  /// Decode time of the next packet in seconds.
  var position: Double { MediaTime(ticks: packet?.decodeTicks ?? 0, timeBase: timeBase).doubleValue }

  /// Makes the next packet ready; false at the end.
  func fill() throws(MediaError) -> Bool {
    if packet == nil && !isEnded {
      packet = try source.next()
      isEnded = packet == nil
    }
    return packet != nil
  }

  func take() -> Packet? {
    defer { packet = nil }
    return packet
  }

  func end(of packet: Packet) -> Double {
    MediaTime(ticks: (packet.presentationTicks ?? 0) + packet.durationTicks, timeBase: timeBase).doubleValue
  }
}
