public import FFmpegBridge
public import FileAccess
public import MediaCore

/// The files of a document, opened by the names that it uses, with what was found out about them.
///
/// Each file has its own log of damage, so that a report can tell them apart. Safe to use from the threads of one render.
public final class RenderInputs: @unchecked Sendable {
  /// One file.
  public struct Entry: Sendable {
    public let name: String
    public let input: InputFile
    public let environment: MediaEnvironment
    public let video: StreamInfo?
    public let audio: StreamInfo?
    /// On the file's own timeline: when the first picture is shown.
    public let firstPicture: MediaTime
    public let facts: SourceFacts
    /// One picture that does not change.
    public let isStill: Bool
  }

  private let files: any Files
  private let environment: MediaEnvironment
  private let namedFrames: [String: Set<Int>]
  private var entries: [String: Entry] = [:]
  public private(set) var order: [String] = []

  public init(_ document: ReelDocument, files: any Files, environment: MediaEnvironment) {
    self.files = files
    self.environment = environment
    namedFrames = document.namedFrames
  }

  /// Opens `reference`, once, and looks at its streams. Only on the thread that plans the render.
  public func entry(_ reference: MediaReference) throws(MediaError) -> Entry {
    if let known = entries[reference.name] { return known }
    do throws(MediaError) {
      let entry = try open(reference)
      entries[reference.name] = entry
      order.append(reference.name)
      return entry
    } catch {
      throw reference.place.leading(to: error)
    }
  }

  private func open(_ reference: MediaReference) throws(MediaError) -> Entry {
    let input = try files.openInput(reference.name)
    var environment = environment.noting(in: DamageLog())
    environment.diagnostics = Diagnostics()
    environment.use = InputUse()
    let demuxer = try Demuxer(input, environment: environment)
    let video = demuxer.streams.first { $0.kind == .video && $0.codec != "none" }
    let audio = demuxer.streams.preferredAudio.flatMap { $0.codec == "none" || $0.channels == 0 ? nil : $0 }
    guard video != nil || audio != nil else {
      throw MediaError(
        .damaged, "cannot use \(input.displayName)", path: input.displayName, reason: "it has neither pictures nor sound")
    }
    let start = (video?.startTime ?? demuxer.startTime) - demuxer.startTime
    var duration = video?.duration ?? demuxer.duration.map { $0 - start } ?? .zero
    var frameTimes: [Int: MediaTime] = [:]
    if let video, !demuxer.isStillImage, duration == .zero || namedFrames[reference.name] != nil {
      let times = try FrameTimes.scan(input, stream: video.index, environment: environment)
      for frame in namedFrames[reference.name] ?? [] where frame < times.count { frameTimes[frame] = times[frame] - (times.first ?? .zero) }
      if let first = times.first, let last = times.last, duration == .zero {
        duration = last - first + MediaTime(video.averageFrameRate.reciprocal)
      }
    }
    return Entry(
      name: reference.name, input: input, environment: environment, video: video, audio: audio, firstPicture: start,
      facts: SourceFacts(duration: duration, frameTimes: frameTimes, hasAudio: audio != nil),
      isStill: demuxer.isStillImage)
  }

  /// Everything that was opened, in that order.
  public var opened: [Entry] { order.compactMap { entries[$0] } }
}
