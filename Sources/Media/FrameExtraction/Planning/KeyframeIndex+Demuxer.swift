import FFmpegBridge
import MediaCore

extension StreamReader {
  /// The keyframes by the container's index; nil when there is none that can be trusted. Leaves the reader at the start.
  ///
  /// Used for MP4 and Matroska, where a seek lands on an entry. A fragmented file whose index stops early counts as having none.
  func keyframeIndex() throws(MediaError) -> KeyframeIndex? {
    let isMP4 = demuxer.format.hasPrefix("mov")
    guard isMP4 || demuxer.format.hasPrefix("matroska") else { return nil }
    // Matroska reads its cues at the first seek.
    if !isMP4 { try demuxer.seek(stream: stream.index, ticks: ticks(.zero)) }
    let count = demuxer.indexCount(of: stream.index)
    var entries: [Int64] = []
    for place in 0..<count {
      if let entry = demuxer.indexEntry(place, of: stream.index), entry.isKeyframe { entries.append(entry.decodeTicks) }
    }
    guard entries.count > 1, zip(entries, entries.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    if isMP4, let last = demuxer.indexEntry(count - 1, of: stream.index), let duration = stream.duration {
      let end = (stream.startTime ?? .zero) + duration
      let slack = MediaTime(Rational(2))
      if MediaTime(ticks: last.decodeTicks, timeBase: stream.timeBase) + slack < end { return nil }
    }
    guard isMP4 else {
      try rewind(always: true)
      return KeyframeIndex(ticks: entries, decodeOffset: nil)
    }
    var offset: Int64 = 0
    if let packet = try readPacket() {
      if let pts = packet.presentationTicks, let dts = packet.decodeTicks { offset = pts - dts }
      recycle(packet)
    }
    try rewind(always: true)
    return KeyframeIndex(ticks: entries.map { $0 + offset }, decodeOffset: offset)
  }

  /// The presentation ticks of every shown frame, ascending, by reading all packets without decoding; nil when some packet
  /// has no presentation time. Leaves the reader at the start.
  func scanTimes() throws(MediaError) -> [Int64]? {
    try rewind(always: true)
    var times: [Int64] = []
    var isComplete = true
    while let packet = try readPacket() {
      if let facts = facts(of: packet) {
        if !facts.isHidden { times.append(facts.pts) }
      } else {
        isComplete = false
      }
      recycle(packet)
    }
    try rewind(always: true)
    return isComplete ? times.sorted() : nil
  }

  /// The presentation ticks of every frame, by decoding all of them.
  func decodeTimes() throws(MediaError) -> [Int64] {
    try rewind(always: true)
    var times: [Int64] = []
    while let packet = try readPacket() {
      try decode(packet) { times.append(ticks(of: $0)) }
      recycle(packet)
    }
    try drain { times.append(ticks(of: $0)) }
    try rewind(always: true)
    return times.sorted()
  }
}
