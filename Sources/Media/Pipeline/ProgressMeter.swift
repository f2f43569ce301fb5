import Glibc
public import MediaCore

/// Turns frame counts into `Progress` values at a readable pace: at most ten a second, plus one at the end.
///
/// The part done never falls, and once it is known it stays known. Used by the sink's thread only. The rate is measured since the start on the monotonic clock.
public final class ProgressMeter {
  public typealias Handler = @Sendable (Progress) -> Void

  private let stage: String
  private let total: Int64?
  private let handler: Handler?
  private let share: ClosedRange<Double>
  private let started = ProgressMeter.now()
  private var lastReport: Double = 0
  private var frames: Int64 = 0
  /// The part done so far; nil while nothing is known of it.
  private var reached: Double?

  /// - Parameters:
  ///   - total: frames in all, where known; else progress has no `done` and no ETA until `advance(to:)` gets one.
  ///   - share: the part of the whole work that this stage is. Default all of it.
  ///   - handler: called on the thread that advances the meter.
  public init(stage: String, total: Int64?, share: ClosedRange<Double> = 0...1, handler: Handler?) {
    self.stage = stage
    self.total = total
    self.handler = handler
    self.share = share
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Counts `count` more frames; `fraction` overrides the part done where the total is not in frames.
  public func advance(by count: Int64 = 1, fraction: Double? = nil) {
    frames += count
    guard handler != nil else { return }
    let time = ProgressMeter.now()
    guard time - lastReport >= 0.1 else { return }
    lastReport = time
    report(fraction: fraction, elapsed: time - started)
  }

  /// Reports the start: nothing done yet, for work that may be over before a pace is due.
  public func begin() {
    guard handler != nil else { return }
    report(fraction: 0, elapsed: ProgressMeter.now() - started)
  }

  /// Reports the end: everything done.
  public func finish() {
    guard handler != nil else { return }
    report(fraction: 1, elapsed: ProgressMeter.now() - started)
  }

  private func report(fraction: Double?, elapsed: Double) {
    if let part = fraction ?? total.flatMap({ $0 > 0 ? Double(frames) / Double($0) : nil }), part.isFinite {
      reached = max(reached ?? 0, min(1, part))
    }
    let width = share.upperBound - share.lowerBound
    let done = reached.map { share.lowerBound + width * $0 }
    // What is left of this stage, and the stages after it at the same pace.
    let eta = reached.flatMap { $0 > 0.001 ? elapsed / $0 * (1 - $0 + (1 - share.upperBound) / width) : nil }
    handler?(
      Progress(
        stage: stage, done: done, frames: frames, fps: elapsed > 0 ? Double(frames) / elapsed : 0, etaSeconds: eta))
  }
}
