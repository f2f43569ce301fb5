import FFmpegBridge
import MediaCore
import Pipeline

/// Encodes pictures as they are pulled: a source of packets in decode order.
///
/// Opened by the first picture, whose size and colour all others share. Times become strictly rising ticks.
final class VideoEncodeSource: Source {
  private let upstream: any Source<VideoFrame>
  private var encoder: Encoder
  private let ledger: Ledger
  private let keyframes: Set<Int64>
  private var first: VideoFrame?
  private var lastTick: Int64?
  private var index: Int64 = 0
  private var durations: [Int64: Int64] = [:]
  private var isDraining = false
  private let onFrame: (MediaTime) -> Void

  /// - Parameter keyframes: indices of pictures that become keyframes whatever the encoder thinks.
  init(
    first: VideoFrame, rest: any Source<VideoFrame>, settings: Encoder.VideoSettings, keyframes: Set<Int64>, ledger: Ledger,
    environment: MediaEnvironment, onFrame: @escaping (MediaTime) -> Void
  ) throws(MediaError) {
    encoder = try Encoder(video: settings, environment: environment)
    self.first = first
    upstream = rest
    self.keyframes = keyframes
    self.ledger = ledger
    self.onFrame = onFrame
  }

  func addStream(to muxer: inout Muxer, tags: Muxer.StreamTags) throws(MediaError) -> Int { try muxer.addStream(encoder, tags: tags) }

  var timeBase: Rational { encoder.timeBase }

  /// Of the first of two passes, after the last packet.
  var statistics: [UInt8] { encoder.statistics }

  func next() throws(MediaError) -> Packet? {
    while true {
      if let packet = try encoder.receive() {
        if let ticks = packet.presentationTicks, let duration = durations.removeValue(forKey: ticks) { packet.durationTicks = duration }
        return packet
      }
      if isDraining { return nil }
      var frame = first
      if frame == nil { frame = try upstream.next() }
      first = nil
      guard let frame else {
        isDraining = true
        try encoder.send(nil)
        continue
      }
      var tick = frame.time.ticks(in: encoder.timeBase)
      if let lastTick, tick <= lastTick {
        ledger.book("timesMoved")
        tick = lastTick + 1
      }
      lastTick = tick
      durations[tick] = frame.duration.ticks(in: encoder.timeBase)
      try encoder.send(frame, ticks: tick, forceKeyframe: keyframes.contains(index))
      ledger.book("encoded")
      index += 1
      onFrame(frame.time)
    }
  }
}
