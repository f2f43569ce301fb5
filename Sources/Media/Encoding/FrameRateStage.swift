public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Resamples pictures of any timing to a constant rate: picture i shows what is nearest to time i / rate.
///
/// Starts at time 0 with the first picture and ends with the last one's end, rounded to whole periods; at least one
/// picture comes out for one that goes in. Pictures pass by reference.
public final class FrameRateStage: Stage {
  private let rate: Rational
  private let ledger: Ledger?
  private let end: Int64?
  private var current: VideoFrame?
  private var following: VideoFrame?
  private var isStarted = false
  private var isEnded = false
  private var index: Int64
  private var currentUses = 0

  /// - Parameters:
  ///   - rate: frames a second.
  ///   - first: the index of the first picture to make; the source may begin with the picture on show at its time.
  ///   - count: how many pictures to make; nil as many as the source covers. The last one is repeated as needed.
  ///   - ledger: where repeated and left-out pictures are booked.
  public init(rate: Rational, first: Int64 = 0, count: Int64? = nil, ledger: Ledger? = nil) {
    self.rate = rate
    index = first
    end = count.map { first + $0 }
    self.ledger = ledger
  }

  public func next(from upstream: any Source<VideoFrame>) throws(MediaError) -> VideoFrame? {
    if let end, index >= end { return nil }
    if !isStarted {
      isStarted = true
      current = try upstream.next()
      following = current == nil ? nil : try upstream.next()
    }
    guard current != nil else { return nil }
    let time = MediaTime(Rational(index) / rate)
    // Move on while the next picture is at least as near.
    while let next = following, let held = current, (next.time - time).magnitude < (held.time - time).magnitude || next.time <= time {
      if currentUses == 0 { ledger?.book("leftOutByFrameRate") }
      currentUses = 0
      current = next
      following = try upstream.next()
    }
    guard let frame = current else { return nil }
    if following == nil && self.end == nil {
      let end = ((frame.time + frame.duration).seconds * rate).rounded
      if index >= max(end, 1) && index > 0 { return nil }
    }
    if currentUses > 0 { ledger?.book("repeatedByFrameRate") }
    currentUses += 1
    index += 1
    return frame.at(time, duration: MediaTime(rate.reciprocal))
  }
}

extension MediaTime {
  /// The distance from zero.
  public var magnitude: MediaTime { self < .zero ? .zero - self : self }
}
