import FFmpegBridge
import MediaCore

/// Picks the targets' frames out of what a decoder puts out in presentation order, as far as the plan has settled them.
struct FrameCollector {
  /// What came of one target.
  enum Match {
    case frame(VideoFrame)
    /// The frame did not come out of the decoder; the one that came before or after it, if any.
    case missing(VideoFrame?)
  }

  private let targets: [Int64]
  private var next = 0
  private var recent: [(ticks: Int64, frame: VideoFrame)] = []

  init(targets: [Int64]) { self.targets = targets }

  var isComplete: Bool { next == targets.count }

  mutating func add(_ frame: VideoFrame, ticks: Int64) { recent.append((ticks, frame)) }

  /// The next target whose outcome is certain.
  ///
  /// - Parameters:
  ///   - settled: for every settled target the pts of its frame, nil for none.
  ///   - isDrained: no more frames come.
  mutating func take(settled: [Int64?], isDrained: Bool) -> (target: Int, match: Match)? {
    guard next < targets.count else { return nil }
    if next < settled.count {
      guard let wanted = settled[next] else {
        next += 1
        return (next - 1, .missing(nil))
      }
      if let place = recent.lastIndex(where: { $0.ticks == wanted }) {
        let frame = recent[place].frame
        recent.removeFirst(place)
        next += 1
        return (next - 1, .frame(frame))
      }
      let hasPassed = recent.last.map { $0.ticks > wanted } ?? false
      guard hasPassed || isDrained else { return nil }
      let target = targets[next]
      next += 1
      return (next - 1, .missing((recent.last { $0.ticks <= target } ?? recent.first)?.frame))
    }
    if isDrained {
      next += 1
      return (next - 1, .missing(nil))
    }
    // Of the frames before the next target only the last can be its frame.
    if let best = recent.lastIndex(where: { $0.ticks <= targets[next] }), best > 0 { recent.removeFirst(best) }
    return nil
  }
}
