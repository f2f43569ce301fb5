public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Encodes the sound of a whole timeline, and keeps what it made so that it can be stored.
public final class SoundEncoder: Source {
  /// The stream that it makes.
  public let stream: EncodedStream
  /// Everything that was made so far.
  public private(set) var made: EncodedSegment
  private let source: AudioEncodeSource

  /// Nil when `blocks` has not a single sample.
  public init?(_ blocks: any Source<AudioBlock>, settings: OutputSettings, globalHeader: Bool, environment: MediaEnvironment)
    throws(MediaError)
  {
    guard let first = try blocks.next() else { return nil }
    var encoding = settings.audio
    encoding.globalHeader = globalHeader
    source = try AudioEncodeSource(first: first, rest: blocks, settings: encoding, environment: environment)
    stream = source.stream
    made = EncodedSegment(configuration: stream.configuration)
  }

  public func next() throws(MediaError) -> Packet? {
    let packet = try source.next()
    if let packet { made.packets.append(packet.copy()) }
    return packet
  }

  /// Samples encoded so far, a channel.
  public var sampleCount: Int64 { source.sampleCount }

  /// The stream that sound of these settings makes, without encoding any.
  public static func stream(settings: OutputSettings, globalHeader: Bool, environment: MediaEnvironment) throws(MediaError) -> EncodedStream
  {
    var encoding = settings.audio
    encoding.globalHeader = globalHeader
    return EncodedStream(of: try Encoder(audio: encoding, environment: environment))
  }

  /// Everything in the settings that decides how sound is encoded, for the key of a cache entry.
  public static func description(_ settings: OutputSettings) -> String {
    let audio = settings.audio
    return "\(audio.encoder) \(audio.sampleRate) \(audio.channels) \(audio.bitRate) \(FFmpegLibraries.version)"
  }
}
