public import FileAccess
public import MediaCore
public import Pipeline

/// The sound of one audio stream as gapless float blocks, optionally of a part of it. Use on one thread at a time.
///
/// The first block starts where the stream's first sample lies on the presentation timeline (0 = start of the file, or of
/// the part).
public final class AudioDecodeSource: Source {
  public let stream: StreamInfo
  private let environment: MediaEnvironment
  private var demuxer: Demuxer
  private var decoder: Decoder
  private var resampler: Resampler
  private let packet = Packet()
  private let range: TimeRange
  private let limit: Int64?
  private var ready: [AudioBlock] = []
  private var isDraining = false
  private var isEnded = false
  private var decodedEnd = MediaTime.zero

  /// - Parameters:
  ///   - index: the stream; nil takes the default audio stream, else the first.
  ///   - sampleRate: of the blocks, in hertz.
  ///   - channels: of the blocks.
  /// - Throws: `damaged` when the file has no sound.
  public init(
    _ input: InputFile, stream index: Int? = nil, range: TimeRange = TimeRange(), sampleRate: Int = 48_000, channels: Int = 2,
    environment: MediaEnvironment
  ) throws(MediaError) {
    var demuxer = try Demuxer(input, environment: environment)
    guard let stream = index.map({ demuxer.streams[$0] }) ?? demuxer.streams.preferredAudio else {
      throw MediaError(.damaged, "cannot read \(input.displayName)", path: input.displayName, reason: "it has no sound")
    }
    demuxer.select([stream.index])
    decoder = try Decoder(stream, of: demuxer, environment: environment, threads: 1)
    if range.start.doubleValue > 1 && demuxer.indexCount(of: stream.index) > 1 {
      // Transform codecs need the packets before to be exact at the start.
      let target = range.start + demuxer.startTime - MediaTime(Rational(1, 2))
      try? demuxer.seek(stream: stream.index, ticks: target.ticksRoundedDown(in: stream.timeBase))
    }
    self.demuxer = demuxer
    self.stream = stream
    self.range = range
    self.environment = environment
    resampler = Resampler(sampleRate: sampleRate, channels: channels)
    limit = range.duration.map { $0.ticks(in: Rational(1, Int64(sampleRate))) }
  }

  public func next() throws(MediaError) -> AudioBlock? {
    while true {
      if !ready.isEmpty {
        var block = ready.removeFirst()
        guard let limit else { return block }
        if block.start >= limit {
          isEnded = true
          ready = []
          return nil
        }
        if block.end > limit { block.channels = block.channels.map { Array($0.prefix(Int(limit - block.start))) } }
        return block
      }
      if isEnded { return nil }
      try environment.cancellation.check("decoding \(demuxer.input.displayName)")
      switch try decoder.receiveAudio() {
      case .frame(let frame):
        if frame.isDamaged { environment.damage.note("damaged sound", stream: stream.index, time: frame.time) }
        try environment.checkDuration(frame.time, of: demuxer.input)
        decodedEnd = max(decodedEnd, frame.time + frame.mediaDuration)
        ready = try resampler.convert(AudioFrame(frame, at: frame.time - range.start))
      case .end: try finish()
      case .needsInput:
        if isDraining {
          try finish()
        } else if try demuxer.read(into: packet) {
          if packet.streamIndex == stream.index { try decoder.send(packet) }
        } else {
          isDraining = true
          try decoder.send(nil)
        }
      }
    }
  }

  private func finish() throws(MediaError) {
    isEnded = true
    // A packet that was cut short still states its full duration; only what was decoded tells.
    if Demuxer.statingLength.contains(demuxer.format), let length = stream.duration, decodedEnd > .zero,
      (decodedEnd + demuxer.startTime - (stream.startTime ?? .zero) + MediaTime(Rational(1, 1000))) < length
    {
      environment.damage.noteIncomplete("it states \(length) of sound and holds \(decodedEnd)")
    }
    if let rest = try resampler.flush() { ready = [rest] }
  }
}

extension [StreamInfo] {
  /// The audio stream that players choose: the default one, else the first.
  public var preferredAudio: StreamInfo? {
    first { $0.kind == .audio && $0.isDefault } ?? first { $0.kind == .audio }
  }
}
