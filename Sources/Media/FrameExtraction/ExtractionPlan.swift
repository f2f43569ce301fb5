import FFmpegBridge
import MediaCore

/// The groups of a request and which items of the request each target of a group stands for.
struct ExtractionPlan: Sendable {
  /// One item of the request.
  struct Wanted: Sendable {
    var index: Int
    var requested: MediaTime?
    var ticks: Int64
    var isBeyondEnd = false
  }

  let groups: [TargetGroup]
  /// For every target the items that want it; nil when items are numbered as they come.
  let wanted: [[Wanted]]?
  /// Whether all frames of a stretch are decoded, which pays for a decoder with several threads.
  let isDense: Bool

  init(groups: [TargetGroup], wanted: [[Wanted]]? = nil, isDense: Bool = false) {
    self.groups = groups
    self.wanted = wanted
    self.isDense = isDense
  }

  /// One pass over the file, results numbered as they come.
  static func unnumbered(_ groups: [TargetGroup]) -> ExtractionPlan { ExtractionPlan(groups: groups, isDense: true) }

  /// Exact targets and keyframes, each group once, in ascending order of time.
  init(exact: [Wanted], keyframes: [Int: [Wanted]], index: KeyframeIndex?) {
    var byTick: [Int64: [Wanted]] = [:]
    for item in exact { byTick[item.ticks, default: []].append(item) }
    let ticks = byTick.keys.sorted()
    var parts: [(time: Int64, group: TargetGroup, wanted: [[Wanted]])] = []
    for group in TargetGroup.grouping(ticks, by: index) {
      guard case .targets(let targets) = group.work else { continue }
      parts.append((targets[0], group, targets.map { byTick[$0] ?? [] }))
    }
    for (entry, items) in keyframes {
      let sorted = items.sorted { ($0.ticks, $0.index) < ($1.ticks, $1.index) }
      parts.append((sorted[0].ticks, TargetGroup(start: .keyframe(entry), work: .keyframe), [sorted]))
    }
    parts.sort { $0.time < $1.time }
    var all: [[Wanted]] = []
    groups = parts.map { part in
      var group = part.group
      group.firstTarget = all.count
      all += part.wanted
      return group
    }
    wanted = all
    isDense = index == nil || groups.count == 1
  }

  /// What each group asks for.
  func efforts(index: KeyframeIndex?) -> [GroupEffort] {
    groups.map { group in
      let start: Int64
      if case .keyframe(let entry) = group.start, let index { start = index.ticks[entry] } else { start = index?.ticks.first ?? 0 }
      switch group.work {
      case .targets(let targets):
        // The last frame of all is wanted by a time that no stream reaches.
        let end = max(start, min(targets.last ?? start, index?.ticks.last ?? Int64.max / 4))
        return GroupEffort(results: results(of: group, targets: targets.count), cost: end - start)
      case .keyframe: return GroupEffort(results: results(of: group, targets: 1), cost: 0)
      case .sharpest(let range): return GroupEffort(results: 1, cost: max(start, range.upperBound) - start)
      case .allKeyframes, .range, .scenes: return GroupEffort(results: nil, cost: 0)
      }
    }
  }

  private func results(of group: TargetGroup, targets: Int) -> Int {
    guard let wanted else { return targets }
    return (group.firstTarget..<min(group.firstTarget + targets, wanted.count)).reduce(0) { $0 + wanted[$1].count }
  }

  /// The results that one item of a group stands for.
  func results<Output: Sendable>(
    of item: GroupRun.Item, in group: TargetGroup, _ transform: (ExtractedFrame) throws(MediaError) -> Output
  ) -> [FrameResult<Output>] {
    let target = group.firstTarget + item.target
    let items = wanted.map { target < $0.count ? $0[target] : [] } ?? [Wanted(index: target, requested: nil, ticks: 0)]
    return items.map { wanted in
      let frame: VideoFrame
      switch item.result {
      case .failure(let error):
        return FrameResult(
          index: wanted.index, requested: wanted.requested, actual: nil, placement: .inside, output: .failure(error))
      case .success(let success): frame = success
      }
      var placement = FramePlacement.inside
      if item.isBeforeStart { placement = .beforeStart }
      if wanted.isBeyondEnd { placement = .beyondEnd }
      if item.isLast, let requested = wanted.requested, requested >= frame.time + frame.duration, requested > frame.time {
        placement = .beyondEnd
      }
      let extracted = ExtractedFrame(index: wanted.index, requested: wanted.requested, frame: frame, placement: placement)
      let output: Result<Output, MediaError>
      do throws(MediaError) {
        output = .success(try transform(extracted))
      } catch {
        output = .failure(error)
      }
      return FrameResult(
        index: wanted.index, requested: wanted.requested, actual: frame.time, placement: placement, output: output)
    }
  }
}
