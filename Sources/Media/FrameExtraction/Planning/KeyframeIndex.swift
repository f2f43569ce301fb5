import FFmpegBridge
import MediaCore

/// Where a decoder can start, by the container's index.
struct KeyframeIndex: Sendable {
  /// Presentation ticks of every keyframe as far as the index tells, ascending.
  let ticks: [Int64]
  /// Whether the container's index holds decode times; then this much was added to each (as far as the first keyframe tells).
  let decodeOffset: Int64?

  /// The time of a keyframe on the scale of `ticks`.
  func time(of packet: Packet) -> Int64? {
    guard let decodeOffset else { return packet.presentationTicks }
    return packet.decodeTicks.map { $0 + decodeOffset }
  }

  /// The keyframe at or before `tick`: its place in `ticks`, -1 before the first.
  func entry(atOrBefore tick: Int64) -> Int {
    var low = 0
    var high = ticks.count
    while low < high {
      let middle = (low + high) / 2
      if ticks[middle] <= tick { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// The keyframe nearest to `tick`.
  func nearest(to tick: Int64) -> Int {
    let before = max(0, entry(atOrBefore: tick))
    guard before + 1 < ticks.count else { return before }
    return ticks[before + 1] - tick < tick - ticks[before] ? before + 1 : before
  }
}

/// Targets that are decoded in one run from one keyframe.
struct TargetGroup: Sendable {
  enum Start: Sendable, Hashable {
    case beginning
    /// Place in the keyframe index.
    case keyframe(Int)
  }

  enum Work: Sendable {
    /// The last frame at or before each of these ticks (ascending), with its place in the list of all targets.
    case targets([Int64])
    /// The keyframe itself.
    case keyframe
    /// All keyframes of the file, by reading it through.
    case allKeyframes
    /// Every frame that starts within the half-open range of ticks.
    case range(Range<Int64>)
    /// The frames of the range that begin a scene.
    case scenes(Range<Int64>, threshold: Double)
    /// The sharpest frame of the range.
    case sharpest(Range<Int64>)
  }

  var start: Start
  var work: Work
  /// The place of the first target in the list of all targets.
  var firstTarget = 0
}

extension TargetGroup {
  /// Groups ascending targets by the keyframe that each is decoded from. Without an index everything is one group.
  static func grouping(_ targets: [Int64], by index: KeyframeIndex?) -> [TargetGroup] {
    guard let index else {
      return targets.isEmpty ? [] : [TargetGroup(start: .beginning, work: .targets(targets))]
    }
    var groups: [TargetGroup] = []
    var first = 0
    while first < targets.count {
      let entry = index.entry(atOrBefore: targets[first])
      var last = first + 1
      while last < targets.count, index.entry(atOrBefore: targets[last]) == entry { last += 1 }
      groups.append(
        TargetGroup(start: entry <= 0 ? .beginning : .keyframe(entry), work: .targets(Array(targets[first..<last])), firstTarget: first))
      first = last
    }
    return groups
  }
}
