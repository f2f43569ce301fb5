import CFFmpeg
import CShims
public import FileAccess
public import MediaCore
public import Pipeline

/// The packets of one stream as they are, optionally of a part. Use on one thread at a time.
///
/// Times start at 0 with the part. Pictures can only begin with a keyframe: packets from the last one before the part on come
/// first, with negative times, which MP4 and MOV hide by an edit list. A packet of sound that covers the start comes whole, and
/// so does what the pictures before the end refer to.
public final class PacketCopySource: Source {
  public let stream: StreamInfo
  private let environment: MediaEnvironment
  private var demuxer: Demuxer
  private let range: TimeRange
  private var held: [Packet] = []
  private var ready: [Packet] = []
  private var isEnded = false
  private var hasStarted = false
  private var hasReachedStart: Bool
  /// Packets handed on so far.
  public private(set) var packetCount: Int64 = 0
  /// How long before the part the copied pictures begin; zero when they begin with it.
  public private(set) var lead = MediaTime.zero

  /// - Throws: `damaged` when there is no such stream.
  public init(
    _ input: InputFile, stream index: Int, range: TimeRange = TimeRange(), environment: MediaEnvironment
  ) throws(MediaError) {
    var demuxer = try Demuxer(input, environment: environment)
    guard demuxer.streams.indices.contains(index) else {
      throw MediaError(.damaged, "cannot read \(input.displayName)", path: input.displayName, reason: "it has no stream \(index)")
    }
    stream = demuxer.streams[index]
    demuxer.select([index])
    if range.start.seconds.isPositive, stream.kind == .video, demuxer.indexCount(of: index) > 1 {
      let target = range.start + demuxer.startTime
      try? demuxer.seek(stream: index, ticks: target.ticksRoundedDown(in: stream.timeBase))
    }
    self.demuxer = demuxer
    self.range = range
    self.environment = environment
    hasReachedStart = stream.kind != .video || !range.start.seconds.isPositive
  }

  public func next() throws(MediaError) -> Packet? {
    // Until the part begins, a later keyframe may take the place of what is ready.
    while (ready.isEmpty || !hasReachedStart) && !isEnded {
      let packet = Packet()
      guard try demuxer.read(into: packet) else {
        isEnded = true
        break
      }
      guard packet.streamIndex == stream.index else { continue }
      if packet.presentationTicks == nil, packet.decodeTicks == nil, stream.kind != .attachedPicture {
        throw MediaError(
          .damaged, "cannot copy \(demuxer.input.displayName)", path: demuxer.input.displayName,
          reason: "packets of stream \(stream.index) have no times", advice: "encode it instead of copying")
      }
      try take(packet)
    }
    guard !ready.isEmpty else { return nil }
    packetCount += 1
    return ready.removeFirst()
  }

  private func take(_ packet: Packet) throws(MediaError) {
    let shown = (demuxer.time(of: packet) ?? .zero) - range.start
    let decoded = packet.decodeTicks.map { MediaTime(ticks: $0, timeBase: packet.timeBase) - demuxer.startTime - range.start } ?? shown
    let shift = demuxer.startTime + range.start
    let ticks = shift.ticks(in: packet.timeBase)
    if let pts = packet.presentationTicks { packet.presentationTicks = pts - ticks }
    if let dts = packet.decodeTicks { packet.decodeTicks = dts - ticks }
    let end = range.duration
    switch stream.kind {
    case .video:
      if packet.isKeyframe, shown <= .zero {
        ready = []
        held = []
        hasStarted = true
        lead = .zero - shown
      }
      if packet.isKeyframe { hasStarted = true }
      if decoded >= .zero { hasReachedStart = true }
      guard hasStarted else { return }
      if let end, decoded >= end {
        isEnded = true
        return
      }
      if let end, shown >= end {
        held.append(packet)
      } else {
        ready += held + [packet]
        held = []
      }
    case .attachedPicture:
      packet.presentationTicks = 0
      packet.decodeTicks = 0
      ready.append(packet)
    default:
      if let end, shown >= end {
        if stream.kind == .audio { isEnded = true }
        return
      }
      guard shown + packet.mediaDuration > .zero || shown >= .zero else { return }
      if shown < .zero, stream.kind != .audio {
        // What is on show already when the part begins.
        packet.durationTicks += packet.presentationTicks ?? 0
        packet.presentationTicks = 0
        packet.decodeTicks = 0
      }
      ready.append(packet)
    }
  }
}
