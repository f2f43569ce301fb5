import FFmpegBridge
import MediaCore
import Pipeline

/// Encodes sound as it is pulled: a source of packets. Blocks are cut to the encoder's frame size.
final class AudioEncodeSource: Source {
  private let upstream: any Source<AudioBlock>
  private var encoder: Encoder
  private var held: AudioBlock?
  private var isDraining = false
  private var isEnded = false
  /// Samples encoded so far, a channel.
  private(set) var sampleCount: Int64 = 0

  init(first: AudioBlock, rest: any Source<AudioBlock>, settings: Encoder.AudioSettings, environment: MediaEnvironment) throws(MediaError) {
    held = first
    upstream = rest
    encoder = try Encoder(audio: settings, environment: environment)
  }

  func addStream(to muxer: inout Muxer, tags: Muxer.StreamTags) throws(MediaError) -> Int { try muxer.addStream(encoder, tags: tags) }

  var timeBase: Rational { encoder.timeBase }

  var stream: EncodedStream { EncodedStream(of: encoder) }

  func next() throws(MediaError) -> Packet? {
    while true {
      if let packet = try encoder.receive() { return packet }
      if isDraining { return nil }
      let wanted = encoder.frameSampleCount
      while !isEnded && (held?.sampleCount ?? 0) < max(1, wanted) {
        guard let block = try upstream.next() else {
          isEnded = true
          break
        }
        if held == nil {
          held = block
        } else {
          for channel in block.channels.indices { held!.channels[channel] += block.channels[channel] }
        }
      }
      guard var block = held, block.sampleCount > 0 else {
        isDraining = true
        try encoder.send(nil)
        continue
      }
      if wanted > 0 && block.sampleCount > wanted {
        held = AudioBlock(
          channels: block.channels.map { Array($0.dropFirst(wanted)) }, sampleRate: block.sampleRate, start: block.start + Int64(wanted))
        block.channels = block.channels.map { Array($0.prefix(wanted)) }
      } else {
        held = nil
      }
      sampleCount += Int64(block.sampleCount)
      try encoder.send(block)
    }
  }
}
