import Encoding
import FFmpegBridge
import FileAccess
import MediaCore

extension EncodePlan {
  /// The streams besides the encoded pictures and the first encoded sound, in the order of the input; what cannot be kept is
  /// named in `warnings`.
  mutating func makeTracks(_ task: EncodeTask, input: InputFile, environment: MediaEnvironment) throws(MediaError) -> [OutputTrack] {
    var tracks: [OutputTrack] = []
    if let copiedVideo {
      tracks.append(OutputTrack(.copy(try PacketCopySource(input, stream: copiedVideo.index, range: range, environment: environment))))
    }
    for stream in kept {
      var tags = Muxer.StreamTags()
      if !task.keep.contains(.noMetadata) {
        tags.language = stream.language
        tags.title = stream.title
      }
      switch stream.kind {
      case .audio where task.copiesAudio:
        tracks.append(
          OutputTrack(.copy(try PacketCopySource(input, stream: stream.index, range: range, environment: environment)), tags: tags))
      case .audio:
        let format = audioFormat(task, stream)
        let source = try AudioDecodeSource(
          input, stream: stream.index, range: range, sampleRate: format.rate, channels: format.channels, environment: environment)
        // The one that players take first stands first already.
        tags.isDefault = false
        tracks.append(OutputTrack(.sound(source, channels: format.channels, sampleRate: format.rate), tags: tags))
      case .subtitle:
        if let track = try subtitles(stream, tags: tags, input: input, environment: environment) { tracks.append(track) }
      case .attachment:
        if settings.muxerName == "matroska" {
          tracks.append(OutputTrack(.attachment(stream), tags: tags))
        } else {
          leaveOut(stream, "a .\(settings.container) file holds no attachments")
        }
      case .data, .attachedPicture, .video:
        if OutputSettings.canHold(stream, muxer: settings.muxerName) {
          tracks.append(
            OutputTrack(.copy(try PacketCopySource(input, stream: stream.index, range: range, environment: environment)), tags: tags))
        } else {
          leaveOut(stream, "a .\(settings.container) file cannot hold it")
        }
      }
    }
    return tracks
  }

  private mutating func subtitles(
    _ stream: StreamInfo, tags: Muxer.StreamTags, input: InputFile, environment: MediaEnvironment
  ) throws(MediaError) -> OutputTrack? {
    if OutputSettings.canHold(stream, muxer: settings.muxerName) {
      return OutputTrack(.copy(try PacketCopySource(input, stream: stream.index, range: range, environment: environment)), tags: tags)
    }
    guard let encoder = SubtitleConverter.encoder(forMuxer: settings.muxerName), SubtitleConverter.isText(stream) else {
      leaveOut(stream, "a .\(settings.container) file cannot hold it; a .mkv file can")
      return nil
    }
    let converter = try SubtitleConverter(input, stream: stream.index, to: encoder, range: range, environment: environment)
    return OutputTrack(.subtitles(converter), tags: tags)
  }

  private mutating func leaveOut(_ stream: StreamInfo, _ why: String) {
    warnings.append("\(EncodePlan.leftOut(stream)): \(why)")
  }

  static func leftOut(_ stream: StreamInfo) -> String {
    "left out: stream \(stream.index), \(stream.kind.rawValue) (\(stream.codec))" + (stream.language.map { ", \($0)" } ?? "")
  }

  /// Channels and rate that a stream is encoded with.
  func audioFormat(_ task: EncodeTask, _ stream: StreamInfo) -> (channels: Int, rate: Int) {
    var rate = settings.audioSampleRate
    if task.keep.contains(.sampleRate), settings.preset.audioEncoder != "libopus", (8000...96_000).contains(stream.sampleRate) {
      rate = stream.sampleRate
    }
    return (task.keep.contains(.channels) ? min(8, max(1, stream.channels)) : 2, rate)
  }

  /// The pixel format to encode to.
  func pixelFormat(_ task: EncodeTask) -> PixelFormat {
    guard let source = video?.pixelFormat else { return settings.pixelFormat }
    if task.keep.contains(.format) { return Encoder.nearestFormat(to: source, encoder: settings.codec.encoder) ?? source.withoutRange }
    // Eight bits are too few for PQ and HLG.
    if task.keep.contains(.hdr), video?.color.isHDR == true, settings.pixelFormat.bitDepth < 10 {
      return Encoder.nearestFormat(to: .yuv420p10, encoder: settings.codec.encoder) ?? .yuv420p10
    }
    return settings.pixelFormat
  }
}
