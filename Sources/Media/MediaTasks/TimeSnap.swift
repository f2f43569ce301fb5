import FFmpegBridge
import MediaCore
import Pipeline

/// Gives pictures back the exact times that a coarse container clock has rounded: 29.97 frames a second in Matroska's
/// milliseconds. A time that is not within the clock's rounding of a multiple of the frame period stays as it is.
final class TimeSnap: Stage {
  /// A unit that holds the snapped times exactly.
  let timeBase: Rational
  private let rate: Rational
  private let tolerance: MediaTime

  /// Nil when the stream's clock is fine enough, or its rate is not constant.
  init?(for stream: StreamInfo) {
    let rate = stream.nominalFrameRate
    guard stream.timeBase.doubleValue > 0.0004, rate.isPositive, stream.averageFrameRate.isPositive,
      abs(rate.doubleValue / stream.averageFrameRate.doubleValue - 1) < 0.01, rate.numerator < 1_000_000
    else { return nil }
    self.rate = rate
    tolerance = MediaTime(stream.timeBase * Rational(51, 100))
    var unit = rate.numerator
    while unit < 10_000 { unit *= 2 }
    timeBase = Rational(1, unit)
  }

  func next(from upstream: any Source<VideoFrame>) throws(MediaError) -> VideoFrame? {
    guard let frame = try upstream.next() else { return nil }
    let exact = MediaTime(Rational((frame.time.seconds * rate).rounded) / rate)
    let difference = exact - frame.time
    guard difference <= tolerance, difference >= .zero - tolerance else { return frame }
    return frame.at(exact, duration: MediaTime(rate.reciprocal))
  }
}
