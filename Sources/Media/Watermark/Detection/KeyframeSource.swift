public import FFmpegBridge
public import FileAccess
public import MediaCore
public import Pipeline

/// The key frames of a file's first video stream, and nothing else: a look at a whole video for the price of a few pictures.
/// Use on one thread at a time.
public final class KeyframeSource: Source {
  private let stream: StreamInfo
  private let environment: MediaEnvironment
  private var demuxer: Demuxer
  private var decoder: Decoder
  private let packet = Packet()
  private var isDraining = false

  /// Throws `damaged` when the file has no video.
  public init(_ input: InputFile, environment: MediaEnvironment) throws(MediaError) {
    var demuxer = try Demuxer(input, environment: environment)
    guard let stream = demuxer.streams.first(where: { $0.kind == .video }) else {
      throw MediaError(.damaged, "cannot read \(input.displayName)", path: input.displayName, reason: "it has no video")
    }
    demuxer.select([stream.index])
    // One thread: the decoder's threads would each wait for a picture that comes seconds later.
    decoder = try Decoder(stream, of: demuxer, environment: environment, threads: 1)
    decoder.skip(.nonKeyframes)
    self.demuxer = demuxer
    self.stream = stream
    self.environment = environment
  }

  /// What the container says; nil where it says nothing.
  public var durationSeconds: Double? { stream.duration?.doubleValue }

  public func next() throws(MediaError) -> VideoFrame? {
    while true {
      try environment.cancellation.check("decoding \(demuxer.input.displayName)")
      switch try decoder.receiveVideo() {
      case .frame(let frame):
        // Beyond the limit nothing is read; a whole search tells so.
        return frame.time.doubleValue <= Double(environment.limits.durationSeconds) ? frame : nil
      case .end: return nil
      case .needsInput:
        if isDraining { return nil }
        if try demuxer.read(into: packet) {
          if packet.streamIndex == stream.index, packet.isKeyframe { try decoder.send(packet) }
        } else {
          isDraining = true
          try decoder.send(nil)
        }
      }
    }
  }
}
