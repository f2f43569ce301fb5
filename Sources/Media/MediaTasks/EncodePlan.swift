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
  var duration: MediaTime?
  var snap: TimeSnap?
  var warnings: [String] = []

  init(_ task: EncodeTask, input: InputFile, environment: MediaEnvironment) throws(MediaError) {
    var preset = try EncodePreset.named(task.preset)
    if let codec = task.codec {
      preset.codec = codec
      preset.quality = nil
      if codec != "h264" { preset.profile = nil }
      let chosen = try VideoCodec.named(codec)
      preset.container = chosen.containers[0]
    }
    if let crf = task.crf {
      preset.quality = crf
      preset.bitRate = nil
    }
    if let rate = task.bitRate { preset.bitRate = rate }
    if let speed = task.speed {
      guard VideoCodec.speeds.contains(speed) else {
        throw MediaError(
          .usage, "cannot encode at speed \(speed)", reason: "there is none of that name",
          advice: "use one of \(VideoCodec.speeds.joined(separator: ", "))")
      }
      preset.speed = speed
    }
    settings = try OutputSettings(preset: preset, outputExtension: task.outputExtension)
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
    warnings = EncodePlan.leftOut(demuxer.streams, video: video, audio: audio)
    range = try EncodePlan.range(task, input: input, video: video, demuxer: demuxer, environment: environment)
    duration = EncodePlan.duration(range: range, whole: demuxer.duration)
    if task.keep.contains(.metadata) { settings.metadata = demuxer.metadata }
    settings.metadata["title"] = demuxer.metadata["title"]
    settings.metadata.merge(task.metadata) { $1 }
    settings.chapters = EncodePlan.chapters(demuxer.chapters, in: range)
    settings.videoTags.language = video?.language
    settings.audioTags.language = audio?.language

    picture.format = settings.pixelFormat
    picture.bounds = task.bounds ?? preset.bounds
    picture.userFilter = task.filter
    picture.bakesOrientation = !task.keep.contains(.rotation)
    picture.squaresSamples = !task.keep.contains(.aspect)
    picture.deinterlaces = !task.keep.contains(.interlacing)
    picture.toneMaps = !task.keep.contains(.hdr)
    if task.keep.contains(.range), let range = video?.color.range, range == .full { picture.range = .full }
    if let video { setTiming(task, video) }
  }

  private mutating func setTiming(_ task: EncodeTask, _ video: StreamInfo) {
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

  private static func leftOut(_ streams: [StreamInfo], video: StreamInfo?, audio: StreamInfo?) -> [String] {
    streams.filter { $0.index != video?.index && $0.index != audio?.index }.map { stream in
      "left out: stream \(stream.index), \(stream.kind.rawValue) (\(stream.codec))" + (stream.language.map { ", \($0)" } ?? "")
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
