import FFmpegBridge
import FileAccess
import MediaCore

/// One marked encode, taken apart into packets with the segment that each belongs to.
struct EncodedVariant {
  struct Item {
    var packet: Packet
    /// Nil for packets of the sound.
    var segment: Int?
  }

  let video: StreamInfo
  private let audio: StreamInfo?
  private let audioPackets: [Item]
  /// Video packets in decoding order.
  let packets: [Item]
  let segmentCount: Int
  let report: TaskReport

  init(_ file: InputFile, report: TaskReport, segmentSeconds: Double, context: TaskContext) throws(MediaError) {
    var demuxer = try Demuxer(file, environment: context.environment())
    guard let video = demuxer.streams.first(where: { $0.kind == .video }) else {
      throw MediaError(.bug, "cannot assemble copies", reason: "an encode holds no picture")
    }
    let audio = demuxer.streams.first { $0.kind == .audio }
    let packet = Packet()
    var segment = -1
    var items: [Item] = []
    var sound: [Item] = []
    while try demuxer.read(into: packet) {
      if packet.streamIndex == audio?.index {
        sound.append(Item(packet: packet.copy(), segment: nil))
      } else if packet.streamIndex == video.index {
        // A boundary is the first IDR picture at or after a multiple of the segment's length; the encoder may add more.
        let time = MediaTime(ticks: packet.presentationTicks ?? 0, timeBase: packet.timeBase).doubleValue
        if packet.isKeyframe { segment = max(segment, Int(time / segmentSeconds + 1e-3)) }
        items.append(Item(packet: packet.copy(), segment: max(segment, 0)))
      }
    }
    // The demuxer knows no durations of reordered pictures, and a last picture without one would fall outside the track.
    let shown = items.compactMap(\.packet.presentationTicks).sorted()
    let durations = Dictionary(zip(shown, zip(shown, shown.dropFirst()).map { $1 - $0 })) { first, _ in first }
    let usual = durations.values.min() ?? 0
    for item in items { item.packet.durationTicks = durations[item.packet.presentationTicks ?? 0] ?? usual }
    self.video = video
    self.audio = audio
    audioPackets = sound
    packets = items
    segmentCount = max(segment, 0) + 1
    self.report = report
  }

  /// Writes the segments of this encode where the bit is false, those of `other` where it is true. Returns the bytes written.
  func assemble(with other: EncodedVariant, bits: [Bool], into output: OutputFile, environment: MediaEnvironment) throws(MediaError)
    -> Int64
  {
    var muxer = try Muxer(format: "mp4", output: output, environment: environment)
    let videoIndex = try muxer.addStream(copying: video)
    var audioIndex: Int?
    if let audio { audioIndex = try muxer.addStream(copying: audio) }
    try muxer.start(options: ["movflags": "+faststart"])
    var sound = audioPackets[...]
    func seconds(_ packet: Packet) -> Double { MediaTime(ticks: packet.decodeTicks ?? 0, timeBase: packet.timeBase).doubleValue }
    for (mine, theirs) in zip(packets, other.packets) {
      let chosen = bits[min(mine.segment ?? 0, bits.count - 1)] ? theirs : mine
      while let audioIndex, let next = sound.first, seconds(next.packet) <= seconds(chosen.packet) {
        try muxer.write(next.packet.copy(), to: audioIndex)
        sound.removeFirst()
      }
      try muxer.write(chosen.packet.copy(), to: videoIndex)
    }
    if let audioIndex { for item in sound { try muxer.write(item.packet.copy(), to: audioIndex) } }
    try muxer.finish()
    return muxer.byteCount
  }
}
