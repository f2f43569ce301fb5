import Encoding
import FFmpegBridge
import FileAccess
public import MediaCore
import Pipeline
import Watermark

/// Converts one file: upright, square samples, progressive, SDR, 8-bit 4:2:0 unless told otherwise.
///
/// Keeps the frame rate (a variable rate stays variable), the first video and the default audio track, chapters, title and
/// language; leaves out attached pictures, data and subtitles (each named in the report) and all other metadata.
public struct EncodeTask: MediaTask {
  public static let kind = "encode"

  /// Logical names. Defaults: `"input"` and `"output"`.
  public var input = "input"
  public var output = "output"
  /// Decides the container: `"mp4"`. Of `"jpg"`, `"png"` and `"webp"` the output is a picture, and so must be the input. Nil or empty takes
  /// the container of the preset.
  public var outputExtension: String?
  /// Default `"standard"`.
  public var preset = "standard"
  /// A name in `VideoCodec.all`, or `"copy"`: the packets as they are.
  public var codec: String?
  /// A name in `OutputSettings.audioCodecs`, or `"copy"`; nil takes that of the preset or the container.
  public var audioCodec: String?
  /// Quality on the encoder's own scale.
  public var crf: Double?
  /// Bits a second instead of a quality.
  public var bitRate: Int64?
  /// Spread the bit rate in two passes over all pictures, which are decoded twice. Needs a bit rate. Nil: no.
  public var twoPass: Bool?
  /// x264's preset names.
  public var speed: String?
  /// Bounds that the picture is fitted into; a zero side is free.
  public var bounds: FrameSize?
  /// Constant frame rate; nil keeps the source's times.
  public var frameRate: Rational?
  public var trimStart: TimePosition?
  /// Exclusive.
  public var trimEnd: TimePosition?
  /// A libavfilter graph.
  public var filter: String?
  /// What to keep that is changed or left out by default.
  public var keep: Set<Keep> = []
  /// Added to the container's metadata.
  public var metadata: [String: String] = [:]
  /// Keep what can be decoded of a damaged or incomplete input.
  public var allowIncomplete = false
  /// Starts a new independently decodable segment at every multiple of this many seconds; the frame rate becomes constant.
  /// Nil: where the encoder likes.
  public var segmentSeconds: Double?
  /// A mark for the picture, put in just before the encoder.
  public var watermark: MarkRequest?

  /// Keep every ten seconds of finished pictures in the segment cache, and take those that an earlier attempt left there; needs files with
  /// a cache. Each ten seconds are then encoded by themselves. Default off: whoever runs the task knows whether there is one.
  public var usesCache = false

  /// Values of `--keep`.
  public enum Keep: String, Codable, Sendable, CaseIterable {
    case rotation, aspect, interlacing, hdr, range, metadata
    /// The source's bit depth, chroma subsampling and alpha, as far as the encoder has them.
    case format
    /// The source's channels instead of stereo.
    case channels
    case sampleRate = "sample-rate"
    /// Every audio track, not the default one alone.
    case allAudio = "all-audio"
    /// Subtitles; converted where they are text and the container needs another format.
    case subtitles
    case data, attachments
    /// Attached pictures.
    case cover
    case noAudio = "no-audio"
    case noVideo = "no-video"
    case noChapters = "no-chapters"
    /// Leave out title and languages, too.
    case noMetadata = "no-metadata"
  }

  public var keepsStatistics: Bool { twoPass == true }

  var copiesVideo: Bool { codec == "copy" }
  var copiesAudio: Bool { audioCodec == "copy" }

  public init() {}

  public func run(in context: TaskContext) throws(MediaError) -> TaskReport {
    if let format = stillFormat { return try runStill(format, in: context) }
    let watch = Stopwatch()
    var environment = context.environment()
    environment.keepsIncomplete = allowIncomplete
    let ledger = Ledger()
    let input = try context.files.openInput(self.input)
    var plan = try EncodePlan(self, input: input, environment: environment)
    let tracks = try plan.makeTracks(self, input: input, environment: environment)

    let output = try context.files.createOutput(self.output)
    var writer = MediaWriter(settings: plan.settings, environment: environment, ledger: ledger)
    writer.frameRate = plan.frameRate
    writer.timeBase = plan.timeBase
    writer.typicalFrameRate = plan.typicalFrameRate
    writer.expectedDuration = plan.duration
    let store = SegmentStore(context.files, isEnabled: usesCache)
    if usesCache, plan.video != nil, segmentSeconds == nil {
      writer.checkpoints = EncodeCheckpoints(store: store, key: try checkpointKey(store, context))
    }
    if watermark != nil, plan.video == nil {
      throw MediaError(
        .damaged, "cannot mark \(input.displayName)", path: input.displayName, reason: "it has no picture",
        advice: "marks are put into pictures")
    }
    if let segmentSeconds { writer.keyframes = try segmentStarts(segmentSeconds, plan) }
    let isTwoPass = plan.settings.preset.isTwoPass && plan.video != nil
    if isTwoPass {
      // Damage and counts are booked in the second pass.
      let lesson = try pictures(plan, input, context, environment.noting(in: DamageLog()), Ledger())
      defer { lesson?.stop() }
      writer.meter = ProgressMeter(stage: "first pass", total: nil, share: 0...0.5, handler: context.progress)
      if let lesson { try writer.learn(from: lesson.video) }
    }
    writer.meter = ProgressMeter(stage: "encode", total: nil, share: isTwoPass ? 0.5...1 : 0...1, handler: context.progress)
    let pictures = try pictures(plan, input, context, environment, ledger)
    defer { pictures?.stop() }
    let (decode, marking, markKey) = (pictures?.decode, pictures?.mark?.stage, pictures?.mark?.key.id)
    var audio: (any Source<AudioBlock>)?
    if let stream = plan.audio {
      audio = try AudioDecodeSource(
        input, stream: stream.index, range: plan.range, sampleRate: plan.settings.audioSampleRate, channels: plan.settings.audioChannels,
        environment: environment)
    }
    let summary = try writer.write(video: pictures?.video, audio: audio, tracks: tracks, to: output)

    var report = TaskReport(task: EncodeTask.kind)
    report.inputs = [InputReport.make(input, environment: environment, bytesRead: decode?.bytesRead ?? 0, frames: ledger["decoded"])]
    report.outputs = [InputReport.output(output.displayName, summary)]
    report.warnings = plan.warnings + InputReport.warnings(report) + Set(store.warnings).sorted()
    if let stream = plan.audio, summary.audioSamples == 0 {
      report.warnings.append("left out: stream \(stream.index), audio, holds no sound")
    }
    for case .copy(let source) in tracks.map(\.content) where source.lead > .zero && !["mp4", "mov"].contains(plan.settings.muxerName) {
      report.warnings.append("copied pictures begin \(source.lead) before the trim, with their keyframe; only MP4 and MOV can hide them")
    }
    if let watermark, let markKey, let statistics = marking?.statistics {
      report.watermark = TaskReport.Mark(watermark.id, markKey, statistics)
      if let warning = MarkRequest.warning(pictures: statistics.pictures, seconds: summary.durationSeconds) {
        report.warnings.append(warning)
      }
    }
    report.frames = Dictionary(uniqueKeysWithValues: ledger.accounts)
    report.timings = watch.timings
    try InputReport.requireComplete(report, allowIncomplete: allowIncomplete)
    if filter == nil && frameRate == nil && segmentSeconds == nil && decode != nil {
      try ledger.reconcile(
        "cannot encode \(output.displayName)", given: ["decoded"], taken: ["encoded", "fromCache", "outsideTrim"])
    }
    return report
  }

  /// The pictures on their way to the encoder.
  private struct Pictures {
    let video: Queue<VideoFrame>
    let decode: VideoDecodeSource
    let mark: (stage: MarkStage, key: WatermarkKey)?
    let decoded: Queue<VideoFrame>

    func stop() {
      // The later queue first: its thread pulls from the earlier one.
      decoded.stop()
      video.stop()
    }
  }

  /// Nil when there are none to encode.
  private func pictures(
    _ plan: EncodePlan, _ input: InputFile, _ context: TaskContext, _ environment: MediaEnvironment, _ ledger: Ledger
  ) throws(MediaError) -> Pictures? {
    guard let stream = plan.video else { return nil }
    let source = try VideoDecodeSource(input, stream: stream.index, range: plan.range, environment: environment, ledger: ledger)
    let decoded = Queue(upstream: source)
    var chain: any Source<VideoFrame> = decoded
    if let snap = plan.snap { chain = chain.through(snap) }
    chain = chain.through(PictureConformer(plan.picture, environment: environment))
    if let rate = frameRate ?? (segmentSeconds == nil ? nil : plan.frameRate) {
      chain = chain.through(FrameRateStage(rate: rate, ledger: ledger))
    }
    var mark: (stage: MarkStage, key: WatermarkKey)?
    if let watermark {
      let made = try watermark.makeStage(
        context.files, picturesPerSegment: segmentSeconds.map { $0 * (frameRate ?? plan.frameRate).doubleValue })
      mark = made
      chain = chain.through(made.stage)
    }
    return Pictures(video: Queue(upstream: chain), decode: source, mark: mark, decoded: decoded)
  }

  /// Everything that decides the pictures and how they are encoded.
  private func checkpointKey(_ store: SegmentStore, _ context: TaskContext) throws(MediaError) -> String {
    let digests = SourceDigests(files: context.files, store: store, cancellation: context.cancellation)
    var named = self
    // A set has no order of its own.
    named.keep = []
    let settings = String(decoding: try TaskCoding.encode(named), as: UTF8.self)
    let key = try watermark.map { (mark) throws(MediaError) in try digests.digest(mark.key) } ?? "-"
    return """
      \(try digests.digest(input)) \(key) \(context.threads) \(FFmpegLibraries.version) \(keep.map(\.rawValue).sorted()) \(settings)
      """
  }

  /// Indices of the pictures that start segments.
  private func segmentStarts(_ seconds: Double, _ plan: EncodePlan) throws(MediaError) -> Set<Int64> {
    let rate = (frameRate ?? plan.frameRate).doubleValue
    guard seconds * rate >= 1, let duration = plan.duration?.doubleValue else {
      throw MediaError(
        .usage, "cannot encode in segments of \(seconds) s", reason: "the frame rate or the duration is not known",
        advice: "give a frame rate and a range")
    }
    return Set((0...Int(duration / seconds)).map { Int64((Double($0) * seconds * rate - 1e-6).rounded(.up)) })
  }
}
