public import FFmpegBridge
public import Pipeline

/// One more stream of an output besides its pictures and its first sound.
public struct OutputTrack {
  /// What it is made of.
  public enum Content {
    /// Sound that is encoded; its blocks have this many channels and this rate in hertz.
    case sound(any Source<AudioBlock>, channels: Int, sampleRate: Int)
    /// Packets that are passed on as they are.
    case copy(PacketCopySource)
    /// Text subtitles that are converted.
    case subtitles(SubtitleConverter)
    /// A stream without packets: a font.
    case attachment(StreamInfo)
  }

  public var content: Content
  public var tags: Muxer.StreamTags

  public init(_ content: Content, tags: Muxer.StreamTags = Muxer.StreamTags()) {
    self.content = content
    self.tags = tags
  }

  /// Copied pictures take the first place in a file.
  var isVideo: Bool {
    if case .copy(let source) = content { return source.stream.kind == .video }
    return false
  }
}
