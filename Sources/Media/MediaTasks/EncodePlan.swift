import Encoding
import FFmpegBridge
import FileAccess
import MediaCore
import Pipeline

/// What an `EncodeTask` comes to for one particular input.
struct EncodePlan {
  var settings: OutputSettings
  var picture = PictureFormat()
  var video: StreamInfo?
  var audio: StreamInfo?
  var range = TimeRange()
  var timeBase: Rational?
  var frameRate = Rational.zero
  /// About how many pictures there are a second where the rate varies.
  var typicalFrameRate = Rational.zero
  var duration: MediaTime?
  var snap: TimeSnap?
  var warnings: [String] = []
  /// The pictures whose packets are copied instead of encoded.
  var copiedVideo: StreamInfo?
  /// Streams that are kept besides `video`, `copiedVideo` and `audio`.
  var kept: [StreamInfo] = []

  init(_ task: EncodeTask, input: InputFile, environment: MediaEnvironment) throws(MediaError) {
    var preset = try EncodePreset.named(task.preset)
    try EncodePlan.checkCopy(task)
    if let codec = task.codec, !task.copiesVideo {
      preset.codec = codec
      preset.quality = nil
      if codec != "h264" { preset.profile = nil }
      let chosen = try VideoCodec.named(codec)
      preset.container = chosen.containers[0]
    }
    if let crf = task.crf {
      let codec = try VideoCodec.named(preset.codec)
      guard crf <= codec.worstQuality else {
        throw MediaError(
          .usage, "cannot encode at CRF \(crf)", reason: "\(codec.name) goes from 0 to \(codec.worstQuality)", advice: "lower is better")
      }
      preset.quality = crf
      preset.bitRate = nil
    }
    if let rate = task.bitRate { preset.bitRate = rate }
    if task.twoPass == true { preset.isTwoPass = true }
    if let speed = task.speed {
      guard VideoCodec.speeds.contains(speed) else {
        throw MediaError(
          .usage, "cannot encode at speed \(speed)", reason: "there is none of that name",
          advice: "use one of \(VideoCodec.speeds.joined(separator: ", "))")
      }
      preset.speed = speed
    }
    settings = try OutputSettings(
      preset: preset, outputExtension: task.outputExtension, audioCodec: task.copiesAudio ? nil : task.audioCodec,
      isCodecFixed: task.codec != nil,
      copiesVideo: task.copiesVideo)
    settings.threads = environment.threads

    let demuxer = try Demuxer(input, environment: environment)
    let wantsVideo = !OutputSettings.isAudioOnly(settings.container) && !task.keep.contains(.noVideo)
    video = wantsVideo ? demuxer.streams.first { $0.kind == .video && $0.codec != "none" } : nil
    audio = task.keep.contains(.noAudio) ? nil : demuxer.streams.usableAudio
    guard video != nil || audio != nil else {
      let kinds = demuxer.streams.map { "\($0.kind.rawValue) (\($0.codec))" }.joined(separator: ", ")
      throw MediaError(
        .damaged, "cannot encode \(input.displayName)", path: input.displayName,
        reason: "it has neither pictures nor sound that can be used; it holds: \(kinds)")
    }
    select(task, demuxer.streams)
    range = try EncodePlan.range(task, input: input, video: video, demuxer: demuxer, environment: environment)
    duration = EncodePlan.duration(range: range, whole: demuxer.duration)
    if task.keep.contains(.metadata) { settings.metadata = demuxer.metadata }
    if !task.keep.contains(.noMetadata) {
      settings.metadata["title"] = demuxer.metadata["title"]
      settings.videoTags.language = video?.language
      settings.audioTags.language = audio?.language
      settings.audioTags.title = audio?.title
    }
    settings.metadata.merge(task.metadata) { $1 }
    settings.chapters = task.keep.contains(.noChapters) ? [] : EncodePlan.chapters(demuxer.chapters, in: range)
    if let audio {
      let format = audioFormat(task, audio)
      settings.audioChannels = format.channels
      settings.preset.audioSampleRate = format.rate
      if format.channels > 2, task.keep.contains(.channels) { settings.preset.audioBitRate *= Int64(format.channels + 1) / 2 }
    }

    settings.pixelFormat = pixelFormat(task)
    if settings.pixelFormat != .yuv420p { settings.preset.profile = nil }
    settings.keepsOrientation = task.keep.contains(.rotation)
    if task.keep.contains(.interlacing), let order = video?.fieldOrder {
      settings.fieldOrder = order
      if order == .topFirst || order == .bottomFirst, !settings.codec.codesFields {
        warnings.append("\(settings.codec.name) pictures cannot say that they are interlaced: only the container does")
      }
    }
    picture.format = settings.pixelFormat
    picture.bounds = task.bounds ?? preset.bounds
    picture.userFilter = task.filter
    picture.bakesOrientation = !task.keep.contains(.rotation)
    picture.squaresSamples = !task.keep.contains(.aspect)
    picture.deinterlaces = !task.keep.contains(.interlacing)
    picture.toneMaps = !task.keep.contains(.hdr)
    if task.keep.contains(.hdr), let video {
      settings.hdr = video.hdrMetadata
      if video.hasDolbyVision { warnings.append("left out: the dynamic metadata of Dolby Vision; what plays without it is kept") }
    }
    if task.keep.contains(.range), let range = video?.color.range, range == .full { picture.range = .full }
    if let video { setTiming(task, video) }
  }

  private mutating func setTiming(_ task: EncodeTask, _ video: StreamInfo) {
    typicalFrameRate = video.averageFrameRate.isPositive ? video.averageFrameRate : video.nominalFrameRate
    if let rate = task.frameRate {
      frameRate = rate
    } else if let snap = TimeSnap(for: video) {
      self.snap = snap
      timeBase = snap.timeBase
      frameRate = video.nominalFrameRate
    } else {
      let unit = video.timeBase
      // MP4's clock has 32 bits; finer ones would overflow within hours.
      timeBase = unit.numerator == 1 && unit.denominator >= 1000 && unit.denominator <= 1_000_000 ? unit : nil
      if video.averageFrameRate == video.nominalFrameRate { frameRate = video.averageFrameRate }
    }
  }

  /// Sorts the streams into encoded, copied, kept and left out.
  private mutating func select(_ task: EncodeTask, _ streams: [StreamInfo]) {
    if task.copiesVideo {
      copiedVideo = video
      video = nil
    }
    let first = audio
    if task.copiesAudio { audio = nil }
    for stream in streams where stream.index != video?.index && stream.index != copiedVideo?.index && stream.index != audio?.index {
      let isKept =
        switch stream.kind {
        case .video: false
        case .audio:
          !task.keep.contains(.noAudio) && stream.codec != "none" && stream.channels > 0
            && (task.keep.contains(.allAudio) || stream.index == first?.index)
        case .subtitle: task.keep.contains(.subtitles)
        case .data: task.keep.contains(.data)
        case .attachment: task.keep.contains(.attachments)
        case .attachedPicture: task.keep.contains(.cover)
        }
      if isKept { kept.append(stream) } else { warnings.append(EncodePlan.leftOut(stream)) }
    }
  }

  /// Refuses what cannot be done to packets that are not decoded.
  private static func checkCopy(_ task: EncodeTask) throws(MediaError) {
    guard task.copiesVideo else { return }
    let changes: [(String, Bool)] = [
      ("--size", task.bounds != nil), ("--fps", task.frameRate != nil), ("--filter", task.filter != nil), ("--crf", task.crf != nil),
      ("--bitrate", task.bitRate != nil), ("--two-pass", task.twoPass == true), ("--watermark-id", task.watermark != nil),
      ("segments", task.segmentSeconds != nil),
    ]
    if let change = changes.first(where: \.1) {
      throw MediaError(
        .usage, "cannot copy the pictures", reason: "\(change.0) changes them", advice: "leave out --codec copy or \(change.0)")
    }
  }

  private static func range(
    _ task: EncodeTask, input: InputFile, video: StreamInfo?, demuxer: borrowing Demuxer, environment: MediaEnvironment
  ) throws(MediaError) -> TimeRange {
    let operation = "cannot trim \(input.displayName)"
    func resolve(_ position: TimePosition) throws(MediaError) -> MediaTime {
      switch position {
      case .time(let time):
        guard time >= .zero else { throw MediaError(.usage, operation, reason: "\(time) is before the start") }
        return time
      case .frame(let number):
        guard let video else { throw MediaError(.usage, operation, reason: "it has no frames to count", advice: "use seconds") }
        let times = try FrameTimes.scan(input, stream: video.index, environment: environment)
        guard number <= times.count else {
          throw MediaError(.usage, operation, reason: "there is no frame \(number); it has \(times.count)")
        }
        return number < times.count ? times[number] : (times.last ?? .zero) + MediaTime(video.averageFrameRate.reciprocal)
      }
    }
    var range = TimeRange()
    if let start = task.trimStart { range.start = try resolve(start) }
    if let end = task.trimEnd { range.end = try resolve(end) }
    if let end = range.end, end <= range.start {
      throw MediaError(.usage, operation, reason: "the end \(end) does not lie after the start \(range.start)")
    }
    if let whole = demuxer.duration, range.start >= whole, range.start > .zero {
      throw MediaError(.usage, operation, reason: "the start \(range.start) lies behind its end \(whole)")
    }
    return range
  }

  private static func duration(range: TimeRange, whole: MediaTime?) -> MediaTime? {
    guard let whole else { return range.duration }
    return min(range.end ?? whole, whole) - range.start
  }

  private static func chapters(_ chapters: [Demuxer.Chapter], in range: TimeRange) -> [Demuxer.Chapter] {
    chapters.compactMap { chapter in
      let start = max(chapter.start, range.start)
      let end = range.end.map { min($0, chapter.end) } ?? chapter.end
      return end > start ? Demuxer.Chapter(start: start - range.start, end: end - range.start, title: chapter.title) : nil
    }
  }
}

extension [StreamInfo] {
  /// The preferred audio stream that has a known codec.
  var usableAudio: StreamInfo? {
    let usable = filter { $0.kind == .audio && $0.codec != "none" && $0.channels > 0 }
    return usable.preferredAudio
  }
}
