import FFmpegBridge
import FileAccess
import MediaCore

/// One demuxer and one decoder on the video stream of a file: what a worker thread works with. Not shared.
final class StreamReader {
  var demuxer: Demuxer
  var decoder: Decoder
  let stream: StreamInfo
  /// Damage of this reader alone, so that a damaged frame can be told from one that merely lies beside damage.
  let damage: DamageLog
  var counters = ExtractionCounters()
  private var classifier: ReferenceClassifier
  private let environment: MediaEnvironment
  private var threads: Int
  private var spare: [Packet] = []
  private var isDecoderClean = true
  private var isAtStart = true
  private var countedBytes: Int64 = 0

  convenience init(_ input: InputFile, stream index: Int, environment: MediaEnvironment, threads: Int) throws(MediaError) {
    let environment = environment.noting(in: DamageLog())
    let demuxer = try Demuxer(input, environment: environment)
    guard index < demuxer.streams.count else {
      throw MediaError(.usage, "cannot read \(input.displayName)", reason: "it has no stream \(index)")
    }
    try self.init(demuxer, stream: index, environment: environment, threads: threads)
  }

  /// Takes over a demuxer that has not been read from.
  init(_ demuxer: consuming Demuxer, stream index: Int, environment: MediaEnvironment, threads: Int) throws(MediaError) {
    demuxer.select([index])
    let stream = demuxer.streams[index]
    let decoder = try Decoder(stream, of: demuxer, environment: environment, threads: threads)
    self.stream = stream
    self.decoder = decoder
    self.demuxer = demuxer
    self.environment = environment
    self.threads = threads
    damage = environment.damage
    classifier = ReferenceClassifier(
      codec: stream.codec, configuration: stream.decoderConfiguration, isProgressive: stream.fieldOrder == .progressive)
  }

  /// Makes the decoder one with this many threads.
  func use(threads: Int) throws(MediaError) {
    guard threads != self.threads else { return }
    decoder = try Decoder(stream, of: demuxer, environment: environment, threads: threads)
    self.threads = threads
    isDecoderClean = true
  }

  // MARK: Time

  /// Stream ticks of a presentation time, rounded down.
  func ticks(_ time: MediaTime) -> Int64 { (time + demuxer.startTime).ticksRoundedDown(in: stream.timeBase) }

  func ticks(of frame: VideoFrame) -> Int64 { (frame.time + demuxer.startTime).ticks(in: stream.timeBase) }

  func time(ticks: Int64) -> MediaTime { MediaTime(ticks: ticks, timeBase: stream.timeBase) - demuxer.startTime }

  // MARK: Packets

  /// The next packet of the stream; nil at the end.
  func readPacket() throws(MediaError) -> Packet? {
    isAtStart = false
    let packet = spare.popLast() ?? Packet()
    while try demuxer.read(into: packet) {
      if packet.streamIndex == stream.index {
        counters.packetsRead += 1
        return packet
      }
    }
    spare.append(packet)
    return nil
  }

  func recycle(_ packet: Packet) {
    packet.reset()
    if spare.count < 64 { spare.append(packet) }
  }

  /// What the plan needs to know; nil when the packet has no presentation time.
  func facts(of packet: Packet) -> PacketFacts? {
    guard let pts = packet.presentationTicks else { return nil }
    var facts = PacketFacts(pts: pts, dts: packet.decodeTicks, isKeyframe: packet.isKeyframe, isHidden: packet.isDiscarded)
    facts.byteCount = packet.byteCount
    if classifier.understandsCodec {
      facts.dependency = packet.withBytes { bytes in bytes.withUnsafeBytes { classifier.classify($0) } }
      if !facts.dependency.isShown { facts.isHidden = true }
    }
    return facts
  }

  // MARK: Position

  /// Moves to the start of the file; does nothing when nothing was read yet, unless `always`.
  func rewind(always: Bool = false) throws(MediaError) {
    try reset()
    if isAtStart && !always { return }
    counters.seeks += 1
    try demuxer.rewind()
    isAtStart = true
  }

  func seek(ticks: Int64) throws(MediaError) {
    try reset()
    counters.seeks += 1
    isAtStart = false
    try demuxer.seek(stream: stream.index, ticks: ticks)
  }

  private func reset() throws(MediaError) {
    counters.bytesRead += demuxer.bytesRead - countedBytes
    countedBytes = demuxer.bytesRead
    if !isDecoderClean { decoder.flush() }
    isDecoderClean = true
  }

  // MARK: Decoding

  /// Decodes a packet and gives the frames that come out to `body`.
  func decode(_ packet: Packet, _ body: (VideoFrame) throws(MediaError) -> Void) throws(MediaError) {
    isDecoderClean = false
    counters.packetsDecoded += 1
    try decoder.send(packet)
    while case .frame(let frame) = try decoder.receiveVideo() { try body(frame) }
  }

  /// Takes the frames that the decoder still holds; it is ready for another keyframe afterwards.
  func drain(_ body: (VideoFrame) throws(MediaError) -> Void) throws(MediaError) {
    guard !isDecoderClean else { return }
    try decoder.send(nil)
    while case .frame(let frame) = try decoder.receiveVideo() { try body(frame) }
    decoder.flush()
    isDecoderClean = true
  }

  /// Pieces of damage noted so far.
  var damageCount: Int { damage.entries.reduce(0) { $0 + $1.count } }

  /// Books what was read since the last call and gives the counters up.
  func takeCounters() -> ExtractionCounters {
    counters.bytesRead += demuxer.bytesRead - countedBytes
    countedBytes = demuxer.bytesRead
    defer { counters = ExtractionCounters() }
    return counters
  }
}
