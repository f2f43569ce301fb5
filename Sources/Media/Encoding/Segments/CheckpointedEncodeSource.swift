import Crypto
import FFmpegBridge
import MediaCore
import Pipeline

/// Where an encode keeps its finished runs of pictures, so that it can go on after it was killed.
public struct EncodeCheckpoints {
  public var store: SegmentStore
  /// Everything that decides the pictures and how they are encoded.
  public var key: String
  /// How long a run is, in seconds; rounded to whole distances of keyframes. Default 10.
  public var seconds = 10.0

  public init(store: SegmentStore, key: String) {
    self.store = store
    self.key = key
  }
}

/// Encodes pictures in runs, each with a fresh encoder, and keeps the packets of every run that is finished; what an earlier attempt kept
/// is taken from there.
///
/// All pictures are pulled either way, so that stages with a memory see the same ones; those of a kept run are dropped. What comes out is
/// the same however often the encode was begun. Decoding times follow from the order alone: packet n is decoded when the picture
/// `reorderDepth` places before the n-th is shown, whichever encoder it comes from.
final class CheckpointedEncodeSource: Source {
  let stream: EncodedStream
  private let upstream: any Source<VideoFrame>
  private let settings: Encoder.VideoSettings
  private let checkpoints: EncodeCheckpoints
  private let runLength: Int
  private let ledger: Ledger
  private let environment: MediaEnvironment
  private let onFrame: (MediaTime) -> Void
  private var first: VideoFrame?
  private var lastTick: Int64?
  private var run = 0
  private var isEnded = false
  private var ready: ArraySlice<Packet> = []
  /// Times of the last pictures of the runs before, as many as packets may be out of order.
  private var history: [Int64] = []

  init(
    first: VideoFrame, rest: any Source<VideoFrame>, settings: Encoder.VideoSettings, checkpoints: EncodeCheckpoints, ledger: Ledger,
    environment: MediaEnvironment, onFrame: @escaping (MediaTime) -> Void
  ) throws(MediaError) {
    stream = EncodedStream(of: try Encoder(video: settings, environment: environment))
    self.first = first
    upstream = rest
    self.settings = settings
    self.checkpoints = checkpoints
    let rate = settings.frameRate.isPositive ? settings.frameRate.doubleValue : 30
    let interval = settings.keyframeInterval ?? 250
    runLength = interval * max(1, Int((checkpoints.seconds * rate / Double(interval)).rounded()))
    self.ledger = ledger
    self.environment = environment
    self.onFrame = onFrame
  }

  func next() throws(MediaError) -> Packet? {
    while ready.isEmpty {
      guard !isEnded, try makeRun() else { return nil }
    }
    return ready.popFirst()
  }

  private struct Times {
    var ticks: [Int64] = []
    var durations: [Int64: Int64] = [:]
  }

  /// False when there are no more pictures.
  private func makeRun() throws(MediaError) -> Bool {
    guard let begin = try pull() else { return false }
    let key = SHA256.digest(of: "encode run 1 \(run) \(runLength) \(checkpoints.key)").hex
    run += 1
    var times = Times()
    let packets: [Packet]
    if let kept = checkpoints.store.segment(key), kept.configuration == stream.configuration {
      try forEachPicture(from: begin, &times) { (_, _) throws(MediaError) in }
      guard kept.packets.compactMap(\.presentationTicks).sorted() == times.ticks else {
        throw MediaError(.bug, "cannot go on with an encode", reason: "the pictures are not those of the attempt before")
      }
      ledger.book("fromCache", Int64(times.ticks.count))
      packets = kept.packets
    } else {
      let segment = try encode(from: begin, &times)
      checkpoints.store.save(segment, as: key, timeBase: stream.timeBase)
      packets = segment.packets
    }
    ready = try place(packets, times)[...]
    return true
  }

  private func encode(from begin: (frame: VideoFrame, tick: Int64), _ times: inout Times) throws(MediaError) -> EncodedSegment {
    var encoder = try Encoder(video: settings, environment: environment)
    var segment = EncodedSegment(configuration: EncodedStream(of: encoder).configuration)
    var isFirst = true
    try forEachPicture(from: begin, &times) { (frame, tick) throws(MediaError) in
      try encoder.send(frame, ticks: tick, forceKeyframe: isFirst)
      isFirst = false
      ledger.book("encoded")
      while let packet = try encoder.receive() { segment.packets.append(packet) }
    }
    try encoder.send(nil)
    while let packet = try encoder.receive() { segment.packets.append(packet) }
    guard segment.packets.count == times.ticks.count, segment.packets.first?.isKeyframe == true else {
      throw MediaError(.bug, "cannot encode a segment", reason: "\(segment.packets.count) packets came of \(times.ticks.count) pictures")
    }
    return segment
  }

  private func forEachPicture(
    from begin: (frame: VideoFrame, tick: Int64), _ times: inout Times, _ body: (VideoFrame, Int64) throws(MediaError) -> Void
  ) throws(MediaError) {
    var next: (frame: VideoFrame, tick: Int64)? = begin
    while let (frame, tick) = next {
      times.ticks.append(tick)
      times.durations[tick] = frame.duration.ticks(in: stream.timeBase)
      try body(frame, tick)
      onFrame(frame.time)
      next = times.ticks.count < runLength ? try pull() : nil
    }
  }

  /// The next picture, with a time that lies behind the last one's.
  private func pull() throws(MediaError) -> (frame: VideoFrame, tick: Int64)? {
    var frame = first
    first = nil
    if frame == nil, !isEnded { frame = try upstream.next() }
    guard let frame else {
      isEnded = true
      return nil
    }
    var tick = frame.time.ticks(in: stream.timeBase)
    if let lastTick, tick <= lastTick {
      ledger.book("timesMoved")
      tick = lastTick + 1
    }
    lastTick = tick
    return (frame, tick)
  }

  private func place(_ packets: [Packet], _ times: Times) throws(MediaError) -> [Packet] {
    let depth = stream.reorderDepth
    let shown = history + times.ticks
    let step = times.ticks.count > 1 ? times.ticks[1] - times.ticks[0] : 1
    for (index, packet) in packets.enumerated() {
      let place = history.count + index - depth
      // Before the first picture there is none: as many of its periods earlier.
      let decode = place >= 0 ? shown[place] : shown[0] + Int64(place) * step
      guard let presentation = packet.presentationTicks, decode <= presentation else {
        throw MediaError(.bug, "cannot join runs of pictures", reason: "a picture is decoded after it is shown")
      }
      packet.setTimes(
        presentation: presentation, decode: decode, duration: times.durations[presentation] ?? packet.durationTicks,
        timeBase: stream.timeBase)
    }
    history = Array(shown.suffix(depth))
    return packets
  }
}
