import MediaCore
import Pipeline
import Synchronization

/// The progress of a `FramesTask`, which the decoding threads move, too. Safe to use from any thread.
final class FramesMeter: Sendable {
  private let meter: Mutex<ProgressMeter>
  private let span: (start: MediaTime, seconds: Double)?

  /// Reports the start.
  ///
  /// - Parameters:
  ///   - total: results in all, where known.
  ///   - span: the times among which they are spread, where their number is not.
  init(total: Int?, span: (start: MediaTime, seconds: Double)?, handler: ProgressMeter.Handler?) {
    self.span = span
    meter = Mutex(ProgressMeter(stage: "frames", total: total.map(Int64.init), handler: handler))
    meter.withLock { $0.begin() }
  }

  /// Counts `count` more results; everything before `time` is done.
  func advance(by count: Int64, to time: MediaTime?) {
    let fraction = span.flatMap { span in time.map { ($0 - span.start).doubleValue / span.seconds } }
    meter.withLock { $0.advance(by: count, fraction: fraction) }
  }

  /// Reports the end.
  func finish() { meter.withLock { $0.finish() } }
}
