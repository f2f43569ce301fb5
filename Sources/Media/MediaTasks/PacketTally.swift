import FFmpegBridge
import MediaCore

/// What the packets of one stream tell without being decoded.
struct PacketTally {
  var packets: Int64 = 0
  /// Packets that are shown: not cut off by an edit list.
  var shown: Int64 = 0
  var keyframes: Int64 = 0
  var untimed: Int64 = 0
  private var times: [Int64] = []
  private var lastDuration: Int64 = 0
  private var lastTime = Int64.min

  mutating func count(_ packet: Packet) {
    packets += 1
    if packet.isKeyframe { keyframes += 1 }
    guard !packet.isDiscarded else { return }
    shown += 1
    guard let time = packet.presentationTicks ?? packet.decodeTicks else {
      untimed += 1
      return
    }
    times.append(time)
    if time >= lastTime {
      lastTime = time
      lastDuration = packet.durationTicks
    }
  }

  func end(_ unit: Rational) -> MediaTime? {
    times.isEmpty ? nil : MediaTime(ticks: lastTime + max(0, lastDuration), timeBase: unit)
  }

  func duration(_ unit: Rational) -> MediaTime? {
    guard let end = end(unit), let first = times.min() else { return nil }
    return end - MediaTime(ticks: first, timeBase: unit)
  }

  /// The frame rate, and whether distances between pictures differ by more than the rounding of the clock.
  func frameRate(_ stream: StreamInfo) -> (rate: Rational, isVariable: Bool) {
    let declared = stream.averageFrameRate.isPositive ? stream.averageFrameRate : stream.nominalFrameRate
    let sorted = times.sorted()
    guard sorted.count > 2, let first = sorted.first, let last = sorted.last, last > first else { return (declared, false) }
    let average = Rational(Int64(sorted.count - 1)) / (Rational(last - first) * stream.timeBase)
    var (shortest, longest) = (Int64.max, Int64.min)
    for (a, b) in zip(sorted, sorted.dropFirst()) {
      shortest = min(shortest, b - a)
      longest = max(longest, b - a)
    }
    // A constant rate on a coarse clock has distances that differ by one tick.
    guard longest - shortest <= 1 else { return (declared.isPositive ? declared : average, true) }
    for candidate in [stream.nominalFrameRate, declared] where candidate.isPositive {
      if abs(candidate.doubleValue / average.doubleValue - 1) < 0.002 { return (candidate, false) }
    }
    return (average, false)
  }
}
