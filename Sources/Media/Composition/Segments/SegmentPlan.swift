import Encoding
import MediaCore

/// The pieces that an output is made of: each copied from a source, or composed and encoded by itself.
///
/// Edit points of the sequence always part pieces; captions and overlays do where that keeps pieces between about one and two
/// seconds, so that a change is paid for where it is and keyframes stay rare.
struct SegmentPlan {
  struct Segment {
    var frames: Range<Int>
    /// Nil: composed and encoded.
    var copy: CopyRun?
    /// Why it is composed, or what is copied.
    var reason: String
    var isTransition = false
  }

  var segments: [Segment]
  /// Why clips that could have been copied were not, for the report.
  var notes: [String] = []

  var copies: [CopyRun] { segments.compactMap(\.copy) }

  /// Shorter pieces are joined to their neighbours.
  static let leastFrames = 12

  /// - Parameters:
  ///   - captions: stretches of one caption; nil when captions may change at any frame.
  ///   - cues: frames at which one caption gives way to another.
  ///   - keyframeInterval: frames that a piece without edit points has at most.
  ///   - findCopy: a run within frames that show one clip and nothing else; nil with the reason.
  static func make(
    _ timeline: Timeline, captions: [Range<Int>]?, cues: [Int], keyframeInterval: Int,
    findCopy: ((Int, Range<Int>) throws(MediaError) -> (run: CopyRun?, reason: String))?
  ) throws(MediaError) -> SegmentPlan {
    var plan = SegmentPlan(segments: [])
    var hard = Set(timeline.clips.flatMap { [$0.frames.lowerBound, $0.frames.upperBound] })
    hard.formUnion(timeline.joins.flatMap { [$0.frames.lowerBound, $0.frames.upperBound] })
    hard.formUnion([0, timeline.frameCount])
    let points = hard.filter { (0...timeline.frameCount).contains($0) }.sorted()
    let covered = captions.map { $0 + timeline.layers.map(\.frames) } ?? [0..<timeline.frameCount]
    for (from, to) in zip(points, points.dropFirst()) {
      switch timeline.composite(at: from) {
      case .joined(_, _, let join, _):
        let reason = "transition \(timeline.joins[join].transition.name)"
        plan.segments.append(Segment(frames: from..<to, copy: nil, reason: reason, isTransition: true))
      case .single(let picture):
        try plan.add(from..<to, clip: picture.clip, covered: covered, findCopy: findCopy)
      }
    }
    plan.joinShort()
    let edges = Set(timeline.layers.flatMap { [$0.frames.lowerBound, $0.frames.upperBound] })
    plan.divide(
      at: edges.union(cues).sorted(), preferring: edges, least: max(leastFrames, keyframeInterval * 2 / 5),
      most: max(2 * leastFrames, keyframeInterval))
    return plan
  }

  /// Decides where the parameter sets of copied pieces stand: in the header, which is returned, and before each IDR picture too where two
  /// sources give one number two meanings (the first keeps it in the header).
  mutating func settleParameterSets() -> H264ParameterSets {
    let all = Set(copies.map(\.parameterSets))
    for index in segments.indices {
      guard let own = segments[index].copy?.parameterSets, !all.allSatisfy({ $0.agrees(with: own) }) else { continue }
      segments[index].copy?.repeatsParameterSets = true
      segments[index].reason += ", with their parameter sets, which differ from another clip's"
    }
    return copies.reduce(H264ParameterSets()) { $0.merged(with: $1.parameterSets) }
  }

  /// Pieces of a stretch that shows one clip: what can be copied, and the rest.
  private mutating func add(
    _ range: Range<Int>, clip: Int, covered: [Range<Int>],
    findCopy: ((Int, Range<Int>) throws(MediaError) -> (run: CopyRun?, reason: String))?
  ) throws(MediaError) {
    var position = range.lowerBound
    func composed(_ frames: Range<Int>, _ reason: String) {
      if !frames.isEmpty { segments.append(Segment(frames: frames, copy: nil, reason: reason)) }
    }
    guard let findCopy else { return composed(range, "clip \(clip)") }
    let free = SegmentPlan.free(range, without: covered)
    if free.isEmpty { return composed(range, "clip \(clip) under an overlay or caption") }
    for part in free {
      let (run, reason) = try findCopy(clip, part)
      guard let run else {
        notes.append("clip \(clip), frames \(part.lowerBound)..<\(part.upperBound): encoded, \(reason)")
        continue
      }
      composed(position..<run.frames.lowerBound, "clip \(clip) before its keyframe")
      segments.append(Segment(frames: run.frames, copy: run, reason: "packets of \(run.name)"))
      position = run.frames.upperBound
    }
    composed(position..<range.upperBound, position == range.lowerBound ? "clip \(clip)" : "clip \(clip) before what follows")
  }

  private static func free(_ range: Range<Int>, without covered: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var position = range.lowerBound
    for taken in covered.map({ $0.clamped(to: range) }).filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if taken.lowerBound > position { result.append(position..<taken.lowerBound) }
      position = max(position, taken.upperBound)
    }
    if position < range.upperBound { result.append(position..<range.upperBound) }
    return result
  }

  /// Joins composed pieces that are too short to a composed neighbour: to a transition rather than to a clip.
  private mutating func joinShort() {
    var index = 0
    while index < segments.count {
      let piece = segments[index]
      guard piece.copy == nil, piece.frames.count < (piece.isTransition ? 4 : SegmentPlan.leastFrames) else {
        index += 1
        continue
      }
      let before = index > 0 && segments[index - 1].copy == nil ? index - 1 : nil
      let after = index + 1 < segments.count && segments[index + 1].copy == nil ? index + 1 : nil
      let neighbour =
        [after, before].compactMap(\.self).first { segments[$0].isTransition } ?? before ?? after
      guard let neighbour else {
        index += 1
        continue
      }
      let (first, second) = (min(index, neighbour), max(index, neighbour))
      segments[first] = Segment(
        frames: segments[first].frames.lowerBound..<segments[second].frames.upperBound, copy: nil,
        reason: piece.isTransition ? "\(piece.reason) and \(segments[neighbour].reason)" : segments[neighbour].reason,
        isTransition: piece.isTransition || segments[neighbour].isTransition)
      segments.remove(at: second)
      index = max(0, first - 1)
    }
  }

  /// Divides composed pieces at the first soft point that leaves enough on both sides, or at the longest length. Where one that is preferred
  /// is in reach it is taken instead: overlays are what variants differ in.
  private mutating func divide(at soft: [Int], preferring edges: Set<Int>, least: Int, most: Int) {
    segments = segments.flatMap { piece -> [Segment] in
      guard piece.copy == nil, piece.frames.count >= 2 * least else { return [piece] }
      var pieces: [Segment] = []
      var start = piece.frames.lowerBound
      let end = piece.frames.upperBound
      while end - start >= 2 * least {
        let reach = soft.filter { $0 >= start + least && $0 <= min(start + most, end - least) }
        let edge = reach.first { edges.contains($0) } ?? reach.first
        if edge == nil, end - start <= most { break }
        let cut = edge ?? min(start + most, end - least)
        pieces.append(Segment(frames: start..<cut, copy: nil, reason: piece.reason, isTransition: piece.isTransition))
        start = cut
      }
      return pieces + [Segment(frames: start..<end, copy: nil, reason: piece.reason, isTransition: piece.isTransition)]
    }
  }
}
