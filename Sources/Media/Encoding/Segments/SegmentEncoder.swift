public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Encodes runs of pictures, each with a fresh encoder, so that what comes out depends on nothing other than its own pictures.
///
/// Times are frame numbers of a constant rate. Every segment begins with a picture at which decoding can start and refers to none outside.
public struct SegmentEncoder {
  /// The stream that all segments together make.
  public let stream: EncodedStream
  /// Everything that decides what comes out, for the key of a cache entry.
  public let description: String
  private let settings: Encoder.VideoSettings
  private let environment: MediaEnvironment

  /// - Parameters:
  ///   - parameterSetID: the id of H.264 parameter sets, so that copied ones can stand beside them. Default 0.
  ///   - globalHeader: whether parameter sets stand in the container's header only.
  /// - Throws: `unavailable` and `usage` like the encoder.
  public init(
    settings: OutputSettings, size: FrameSize, color: ColorTags, frameRate: Rational, parameterSetID: Int = 0,
    globalHeader: Bool = true, environment: MediaEnvironment
  ) throws(MediaError) {
    var video = settings.video(size: size, color: color, timeBase: frameRate.reciprocal, frameRate: frameRate)
    video.globalHeader = globalHeader
    if parameterSetID != 0, settings.codec.encoder == "libx264" { video.options["x264-params"] = "sps-id=\(parameterSetID)" }
    stream = EncodedStream(of: try Encoder(video: video, environment: environment))
    let options = video.options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    description = """
      \(video.encoder) \(video.size) \(video.format.name) \(video.color) \(video.frameRate) \(video.bitRate) \
      \(video.keyframeInterval ?? -1) \(video.threads) \(globalHeader) \(options) \(FFmpegLibraries.version)
      """
    self.settings = video
    self.environment = environment
  }

  /// Encodes the next `count` pictures of `pictures`.
  ///
  /// - Throws: `incomplete` when there are fewer.
  public func encode(_ pictures: any Source<VideoFrame>, count: Int, ledger: Ledger, onFrame: () -> Void) throws(MediaError)
    -> EncodedSegment
  {
    var encoder = try Encoder(video: settings, environment: environment)
    var segment = EncodedSegment(configuration: EncodedStream(of: encoder).configuration)
    func drain(_ encoder: inout Encoder) throws(MediaError) {
      while let packet = try encoder.receive() {
        packet.durationTicks = 1
        segment.packets.append(packet)
      }
    }
    for index in 0..<count {
      guard let frame = try pictures.next() else {
        throw MediaError(.incomplete, "cannot encode a segment", reason: "\(index) of \(count) pictures came")
      }
      try encoder.send(frame, ticks: Int64(index), forceKeyframe: index == 0)
      ledger.book("encoded")
      onFrame()
      try drain(&encoder)
    }
    try encoder.send(nil)
    try drain(&encoder)
    guard segment.packets.count == count, segment.packets.first?.isKeyframe == true else {
      throw MediaError(.bug, "cannot encode a segment", reason: "\(segment.packets.count) packets came of \(count) pictures")
    }
    return segment
  }
}
