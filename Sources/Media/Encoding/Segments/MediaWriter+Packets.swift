public import FFmpegBridge
public import FileAccess
public import MediaCore
public import Pipeline

extension MediaWriter {
  /// A stream of packets that are encoded already, or as they are pulled.
  public struct Packets {
    public var source: any Source<Packet>
    public var stream: EncodedStream

    public init(_ source: any Source<Packet>, stream: EncodedStream) {
      self.source = source
      self.stream = stream
    }
  }

  /// Packs streams of packets into `output`. Packets' times are in the units of their streams.
  public func write(pictures: Packets, sound: Packets?, size: FrameSize, to output: OutputFile) throws(MediaError) -> Summary {
    var summary = Summary()
    var muxer = try Muxer(format: settings.muxerName, output: output, environment: environment)
    var tags = settings.videoTags
    tags.frameRate = frameRate
    var lanes = [
      Lane(
        source: pictures.source, index: try muxer.addStream(pictures.stream, tags: tags), timeBase: pictures.stream.timeBase, isVideo: true)
    ]
    summary.size = size
    summary.videoCodec = settings.codec.name
    if let sound {
      lanes.append(
        Lane(
          source: sound.source, index: try muxer.addStream(sound.stream, tags: settings.audioTags), timeBase: sound.stream.timeBase,
          isVideo: false))
      summary.audioCodec = settings.preset.audioEncoder
    }
    try muxer.start(metadata: settings.metadata, options: settings.muxerOptions)
    try pack(lanes, into: &muxer, &summary, showsProgress: false)
    summary.bytes = muxer.byteCount
    meter?.finish()
    return summary
  }

  /// Whether the container of these settings keeps parameter sets in its header.
  public func wantsGlobalHeader(_ output: OutputFile) throws(MediaError) -> Bool {
    try Muxer(format: settings.muxerName, output: output, environment: environment).wantsGlobalHeader
  }
}
