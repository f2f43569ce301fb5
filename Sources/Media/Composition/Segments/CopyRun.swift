import Encoding
import FFmpegBridge
import FileAccess
import MediaCore

/// Packets of a source that stand for output frames as they are.
struct CopyRun {
  /// Output frames, half-open; a packet each.
  var frames: Range<Int>
  var clip: Int
  var name: String
  /// The presentation time of the first packet in the stream's own ticks.
  var firstTicks: Int64
  var parameterSets: H264ParameterSets
  /// Whether the parameter sets stand before each IDR picture, because another source gives their numbers another meaning.
  var repeatsParameterSets = false
}

/// What of a clip's source can be copied: looks at its packets, decodes nothing.
///
/// A run begins with an IDR picture, after which nothing refers back, and may end anywhere in decoding order where all that was decoded
/// has been shown: what follows in the output begins with an IDR picture of its own.
struct CopyScan {
  /// Fewer pictures are not worth the keyframe after them.
  static let leastFrames = 12

  private struct Entry {
    var ticks: Int64
    var time: MediaTime
    var isIDR: Bool
  }

  private let placed: Timeline.Placed
  private let clip: Int
  private let frameRate: Rational
  private let entry: RenderInputs.Entry
  private let stream: StreamInfo
  private let parameterSets: H264ParameterSets

  /// Nil with the reason when no picture of this source can be copied into an output of these settings.
  static func make(
    _ timeline: Timeline, clip: Int, canvas: Canvas, inputs: RenderInputs, settings: Encoding.OutputSettings
  ) throws(MediaError) -> (scan: CopyScan?, reason: String) {
    let placed = timeline.clips[clip]
    guard case .media(let reference) = placed.clip.content else { return (nil, "it is a still") }
    let entry = try inputs.entry(reference)
    guard let stream = entry.video else { return (nil, "it has no picture") }
    let color = stream.color.resolved(height: stream.size.height, isRGB: false)
    let isChanged = placed.clip.kenBurns != nil || placed.clip.filter != nil
    let sets = stream.codec == "h264" ? H264ParameterSets(record: stream.decoderConfiguration) : nil
    var reason: String?
    if placed.clip.speed != Rational(1) { reason = "it plays at another speed" }
    if isChanged { reason = "its pictures are moved or filtered" }
    if stream.size != canvas.size { reason = "it is \(stream.size), the canvas \(canvas.size)" }
    if stream.orientation != .upright || stream.sampleAspectRatio != Rational(1) { reason = "its pictures are turned or stretched" }
    if stream.pixelFormat?.withoutRange != .yuv420p { reason = "its pictures are not 8-bit 4:2:0" }
    if color.range == .full || color.matrix != Render.color.matrix || color.isHDR { reason = "its colours are described otherwise" }
    if stream.fieldOrder != .progressive && stream.fieldOrder != .unknown { reason = "it is interlaced" }
    if let cap = settings.preset.maximumBitRate, stream.bitRate > cap {
      reason = "its \(stream.bitRate) bit/s are above the output's cap of \(cap)"
    }
    if let sets, let profile = settings.preset.profile, profile == "high" || profile == "main" || profile == "baseline" {
      let highest: UInt8 = profile == "high" ? 100 : profile == "main" ? 77 : 66
      if ![66, 77, 100].contains(sets.profile) || sets.profile > highest { reason = "its profile is above the output's" }
    }
    guard reason == nil, let sets else { return (nil, reason ?? "it is \(stream.codec), not H.264 with its parameters in the header") }
    return (
      CopyScan(
        placed: placed, clip: clip, frameRate: timeline.frameRate, entry: entry, stream: stream, parameterSets: sets), ""
    )
  }

  /// The longest run at the earliest place in `range` (output frames that show this clip alone); nil with the reason when there is none.
  func run(in range: Range<Int>) throws(MediaError) -> (run: CopyRun?, reason: String) {
    guard range.count >= CopyScan.leastFrames else { return (nil, "too short to be copied") }
    let origin = entry.firstPicture + placed.sourceStart
    let offsets = (range.lowerBound - placed.frames.lowerBound)..<(range.upperBound - placed.frames.lowerBound)
    func time(_ offset: Int) -> MediaTime { MediaTime(Rational(Int64(offset)) / frameRate) }
    let (entries, problem) = try packets(from: origin + time(offsets.lowerBound), to: origin + time(offsets.upperBound))
    guard let entries else { return (nil, problem) }

    // The pictures that the frame rate picks, as the decoded ones would be picked.
    let shown = entries.indices.sorted { entries[$0].time < entries[$1].time }
    let times = shown.map { entries[$0].time - origin }
    if let end = placed.sourceEnd, let last = times.last, last < end - placed.sourceStart - time(2), last < time(offsets.upperBound - 1) {
      return (nil, "its pictures end early")
    }
    var picked: [Int] = []
    var current = max(0, (times.firstIndex { $0 > time(offsets.lowerBound) } ?? times.count) - 1)
    for offset in offsets {
      let wanted = time(offset)
      while current + 1 < times.count,
        (times[current + 1] - wanted).magnitude < (times[current] - wanted).magnitude || times[current + 1] <= wanted
      { current += 1 }
      picked.append(current)
    }

    guard let start = picked.indices.first(where: { entries[shown[picked[$0]]].isIDR && ($0 == 0 || picked[$0 - 1] != picked[$0]) })
    else { return (nil, "no keyframe lies in it") }
    var limit = 1
    while start + limit < picked.count, picked[start + limit] == picked[start] + limit { limit += 1 }
    var rank: [Int: Int] = [:]
    for index in 0..<limit { rank[shown[picked[start] + index]] = index }
    var (count, highest, best) = (0, -1, 0)
    for index in entries.indices.dropFirst(shown[picked[start]]) {
      guard let place = rank[index] else { break }
      count += 1
      highest = max(highest, place)
      if highest == count - 1 { best = count }
    }
    guard best >= CopyScan.leastFrames else { return (nil, "too few pictures follow a keyframe in it") }
    let first = range.lowerBound + start
    return (
      CopyRun(
        frames: first..<first + best, clip: clip, name: entry.name, firstTicks: entries[shown[picked[start]]].ticks,
        parameterSets: parameterSets), ""
    )
  }

  /// The packets around a part of the source in decoding order; nil with the reason when they do not suit.
  private func packets(from start: MediaTime, to end: MediaTime) throws(MediaError) -> (entries: [Entry]?, reason: String) {
    var demuxer = try Demuxer(entry.input, environment: entry.environment)
    demuxer.select([stream.index])
    if start.seconds.isPositive, demuxer.indexCount(of: stream.index) > 1 {
      try? demuxer.seek(stream: stream.index, ticks: (start + demuxer.startTime).ticksRoundedDown(in: stream.timeBase))
    }
    let packet = Packet()
    var entries: [Entry] = []
    while try demuxer.read(into: packet) {
      guard packet.streamIndex == stream.index else { continue }
      guard let ticks = packet.presentationTicks, let time = demuxer.time(of: packet), !packet.isCorrupt else {
        return (nil, "its packets have no times")
      }
      // What an edit list cuts off is decoded but not shown: a copy would show it.
      if packet.isDiscarded { return (nil, "an edit list cuts pictures off") }
      guard let kinds = packet.withBytes({ H264ParameterSets.kinds(in: $0) }) else { return (nil, "its packets are not whole") }
      if kinds.contains(7) || kinds.contains(8) { return (nil, "it changes its parameters in mid-stream") }
      entries.append(Entry(ticks: ticks, time: time, isIDR: kinds.contains(5)))
      // Decoding order runs ahead of presentation by a few pictures.
      if time > end + MediaTime(Rational(1)) { break }
    }
    return (entries, "")
  }

  /// The packets of a run, in decoding order.
  static func read(_ run: CopyRun, inputs: RenderInputs, each: (Packet) throws(MediaError) -> Void) throws(MediaError) {
    let entry = try inputs.entry(MediaReference(run.name))
    guard let stream = entry.video else { throw MediaError(.bug, "cannot copy \(run.name)", reason: "it has no picture") }
    var demuxer = try Demuxer(entry.input, environment: entry.environment)
    demuxer.select([stream.index])
    if demuxer.indexCount(of: stream.index) > 1 { try? demuxer.seek(stream: stream.index, ticks: run.firstTicks) }
    let packet = Packet()
    var left = run.frames.count
    while left > 0, try demuxer.read(into: packet) {
      guard packet.streamIndex == stream.index else { continue }
      if left == run.frames.count, packet.presentationTicks != run.firstTicks { continue }
      left -= 1
      try each(run.repeatsParameterSets ? withParameterSets(packet, of: run) : packet.copy())
    }
    guard left == 0 else {
      throw MediaError(.incomplete, "cannot copy \(run.name)", path: run.name, reason: "\(left) of its packets are gone: did it change?")
    }
  }

  /// A copy of a packet, after the parameter sets of its source where it holds an IDR picture.
  private static func withParameterSets(_ packet: Packet, of run: CopyRun) -> Packet {
    guard packet.withBytes({ H264ParameterSets.kinds(in: $0)?.contains(5) }) == true else { return packet.copy() }
    let bytes = packet.withBytes { run.parameterSets.inserted(into: $0) }
    let result = Packet(bytes.span, isKeyframe: true, timeBase: packet.timeBase)
    result.presentationTicks = packet.presentationTicks
    return result
  }
}
