import FFmpegBridge
import FileAccess
public import MediaCore
import Pipeline

/// Finds out what files are: reads every packet of them, decodes what their headers need, writes nothing.
public struct ProbeTask: MediaTask {
  public static let kind = "probe"

  /// Logical names of the inputs, in the order of the results.
  public var inputs: [String]

  public init(inputs: [String]) { self.inputs = inputs }

  /// - Returns: one entry a file; a file that cannot be read has `error` set and does not stop the others.
  public func run(in context: TaskContext) throws(MediaError) -> ProbeReport {
    var files: [ProbeReport.File] = []
    let meter = ProgressMeter(stage: "probe", total: nil, handler: context.progress)
    meter.begin()
    for (place, name) in inputs.enumerated() {
      try context.cancellation.check("probing")
      do throws(MediaError) {
        let input = try context.files.openInput(name)
        do throws(MediaError) {
          files.append(
            try ProbeTask.probe(input, context: context) { frames, part in
              meter.advance(by: frames, fraction: (Double(place) + part) / Double(inputs.count))
            })
        } catch {
          if error.code == .cancelled { throw error }
          files.append(ProbeTask.failed(input.displayName, bytes: input.snapshot.byteCount, error))
        }
      } catch {
        if error.code == .cancelled { throw error }
        files.append(ProbeTask.failed(error.path ?? name, bytes: 0, error))
      }
    }
    meter.finish()
    return ProbeReport(files: files)
  }

  /// The entry of a file that could not be read.
  public static func failed(_ file: String, bytes: Int64, _ error: MediaError) -> ProbeReport.File {
    ProbeReport.File(
      file: file, bytes: bytes,
      error: ProbeReport.Failure(code: error.code.name, message: error.description, exitStatus: error.code.exitStatus))
  }

  /// - Parameter onPacket: called after each packet: pictures in it, the part of the file that has been read.
  static func probe(
    _ input: InputFile, context: TaskContext, onPacket: (Int64, Double) -> Void
  ) throws(MediaError) -> ProbeReport.File {
    let environment = context.environment()
    var demuxer = try Demuxer(input, environment: environment)
    var tallies = Dictionary(uniqueKeysWithValues: demuxer.streams.map { ($0.index, PacketTally()) })
    let packet = Packet()
    let pictures = Set(demuxer.streams.filter { $0.kind == .video }.map(\.index))
    var keyframes: [Int: Packet] = [:]
    let byteCount = Double(max(1, input.snapshot.byteCount))
    while try demuxer.read(into: packet) {
      tallies[packet.streamIndex]?.count(packet)
      let isPicture = pictures.contains(packet.streamIndex)
      if isPicture, packet.isKeyframe, keyframes[packet.streamIndex] == nil { keyframes[packet.streamIndex] = packet.copy() }
      onPacket(isPicture ? 1 : 0, min(1, Double(demuxer.bytesRead) / byteCount))
    }

    var file = ProbeReport.File(file: input.displayName, bytes: input.snapshot.byteCount)
    file.format = demuxer.format
    file.title = demuxer.metadata["title"]
    file.chapters = demuxer.chapters.map {
      ProbeReport.Chapter(startSeconds: $0.start.doubleValue, endSeconds: $0.end.doubleValue, title: $0.title)
    }
    let start = demuxer.startTime
    var lastEnd: Double?
    for stream in demuxer.streams {
      let tally = tallies[stream.index] ?? PacketTally()
      switch stream.kind {
      case .video:
        let orientation = orientation(of: stream, in: demuxer, keyframes[stream.index], context)
        file.video.append(video(stream, tally, orientation, start: start))
      case .audio:
        file.audio.append(
          ProbeReport.Audio(
            index: stream.index, codec: stream.codec, sampleRate: stream.sampleRate, channels: stream.channels,
            layout: stream.channelLayout, startSeconds: ((stream.startTime ?? start) - start).doubleValue,
            durationSeconds: stream.duration?.doubleValue ?? tally.duration(stream.timeBase)?.doubleValue, language: stream.language,
            isDefault: stream.isDefault))
      default:
        file.other.append(
          ProbeReport.Other(index: stream.index, kind: stream.kind.rawValue, codec: stream.codec, language: stream.language))
      }
      if let end = tally.end(stream.timeBase) { lastEnd = max(lastEnd ?? 0, (end - start).doubleValue) }
    }
    file.durationSeconds = demuxer.duration?.doubleValue ?? lastEnd
    if demuxer.isStillImage { file.durationSeconds = nil }
    file.problems = problems(demuxer.streams, tallies, environment, declared: demuxer.duration?.doubleValue, found: lastEnd)
    return file
  }

  /// How the pictures must be turned. EXIF stands in the pictures of JPEG and WebP, H.264 and HEVC may have it in an SEI message (display
  /// orientation): where the container says nothing, the first keyframe is decoded for it.
  private static func orientation(
    of stream: StreamInfo, in demuxer: borrowing Demuxer, _ keyframe: Packet?, _ context: TaskContext
  ) -> Orientation {
    let mayTurn = demuxer.isStillImage || ["mjpeg", "h264", "hevc"].contains(stream.codec)
    guard stream.orientation.isUpright, mayTurn, let keyframe else { return stream.orientation }
    do throws(MediaError) {
      // An environment of its own: what cannot be decoded is no finding of a probe.
      var decoder = try Decoder(stream, of: demuxer, environment: context.environment(), threads: 1)
      try decoder.send(keyframe)
      try decoder.send(nil)
      if case .frame(let picture) = try decoder.receiveVideo() { return picture.orientation }
    } catch {}
    return stream.orientation
  }

  private static func video(
    _ stream: StreamInfo, _ tally: PacketTally, _ orientation: Orientation, start: MediaTime
  ) -> ProbeReport.Video {
    let aspect = stream.sampleAspectRatio
    var shown = FrameSize(Int((Rational(Int64(stream.size.width)) * aspect).rounded), stream.size.height)
    if orientation.swapsSides { shown = shown.transposed }
    let tags = stream.color
    let rate = tally.frameRate(stream)
    return ProbeReport.Video(
      index: stream.index, codec: stream.codec, profile: stream.profile, width: stream.size.width, height: stream.size.height,
      displayWidth: shown.width, displayHeight: shown.height, rotation: orientation.clockwiseDegrees,
      mirrored: orientation.mirrored, sar: "\(aspect.numerator):\(aspect.denominator)", frameRate: rate.rate.description,
      variableFrameRate: rate.isVariable, frameCount: tally.shown, pixelFormat: stream.pixelFormat?.name,
      color: ProbeReport.Color(
        matrix: tags.matrix.name, range: tags.range.name, primaries: tags.primaries.name, transfer: tags.transfer.name),
      hdr: tags.transfer == .pq ? "pq" : tags.transfer == .hlg ? "hlg" : nil,
      interlaced: stream.fieldOrder == .topFirst || stream.fieldOrder == .bottomFirst, keyframes: tally.keyframes,
      startSeconds: ((stream.startTime ?? start) - start).doubleValue,
      durationSeconds: stream.duration?.doubleValue ?? tally.duration(stream.timeBase)?.doubleValue, language: stream.language)
  }

  private static func problems(
    _ streams: [StreamInfo], _ tallies: [Int: PacketTally], _ environment: MediaEnvironment, declared: Double?, found: Double?
  ) -> [String] {
    var problems = environment.damage.incompleteReasons.map { "input is incomplete: \($0)" }
    problems += environment.damage.entries.map { entry in
      "\(entry.kind)" + (entry.stream.map { " in stream \($0)" } ?? "") + (entry.count > 1 ? ", \(entry.count) times" : "")
    }
    for stream in streams where stream.kind == .video || stream.kind == .audio {
      let tally = tallies[stream.index] ?? PacketTally()
      let name = "\(stream.kind.rawValue) stream \(stream.index)"
      if tally.packets == 0 { problems.append("\(name) has no data") }
      if tally.untimed > 0 && tally.untimed < tally.packets { problems.append("\(name): \(tally.untimed) packets without a time") }
      if stream.kind == .video && stream.size.pixels == 0 { problems.append("\(name): its size is unknown") }
      if stream.codec == "none" { problems.append("\(name): its codec is unknown") }
    }
    if let declared, let found, found > 0, declared - found > max(1, declared * 0.05) {
      problems.append("it claims \(MediaTime(seconds: declared)) but holds \(MediaTime(seconds: found))")
    }
    for line in environment.diagnostics.errorLines where !problems.contains(where: { $0.contains(line) }) {
      problems.append("FFmpeg: \(line)")
    }
    return problems
  }
}
