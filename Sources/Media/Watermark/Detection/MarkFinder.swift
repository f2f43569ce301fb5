public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Finds marks in a whole video, stretch by stretch. Synchronous; use on one thread.
///
/// Stretches of 15 s are searched one after the other: cheap hypotheses after the first second, again after four, all at the
/// stretch's end. Where one mark is found, each second is tested for it, and what does not carry it is searched for others,
/// so that a compilation names its parts. An input that is longer than `wholeSeconds` is left once a stretch has given a mark.
/// Memory does not grow with the input.
public final class MarkFinder {
  public struct Findings: Sendable {
    public var marks: [DetectedMark] = []
    public var pictures = 0
    /// Seconds of the input that were looked at.
    public var seconds = 0.0
    public var attempts = 0
    /// The largest z of any candidate, accepted or not.
    public var bestZ = 0.0
    /// Which copies of `MarkFinder.copies` the input comes from, in order of time; what cannot be told is left out.
    public var copies: [FoundCopy] = []
  }

  /// Copies of one video to tell apart; the id to look for must be that of the video.
  public var copies: CopyManifest?
  private var samples: [SegmentSample] = []

  /// The source gives key frames only: marks are given the whole stretch in which they were found. Default false.
  public var isSparse = false

  static let stretchSeconds = 15.0
  /// Inputs up to this length are searched to their end. Default 120 s.
  public var wholeSeconds = 120.0

  private let keys: [WatermarkKey]
  private let decision: MarkDecision
  private let effort: MarkDetector.Effort
  private var findings = Findings()
  private var detector: MarkDetector?
  private var stretchStart = 0.0
  private var checkpoints: [Double] = []
  private var found: [DetectedMark] = []
  /// For pictures without a plane of luma.
  private var converter: Scaler?

  public init(keys: [WatermarkKey], decision: MarkDecision, effort: MarkDetector.Effort = .full) {
    self.keys = keys
    self.decision = decision
    self.effort = effort
  }

  /// Reads `source` to its end, or until an early exit.
  ///
  /// - Throws: `damaged` when there is no picture, `usage` when it is too small, and what the source throws.
  public func find(in source: any Source<VideoFrame>, picture: (VideoFrame) throws(MediaError) -> Void = { _ in }) throws(MediaError)
    -> Findings
  {
    while let frame = try source.next() {
      try picture(frame)
      let time = frame.time.doubleValue
      if detector == nil || detector?.size != frame.size || time >= stretchStart + Self.stretchSeconds {
        try endStretch()
        if time > wholeSeconds, !findings.marks.isEmpty { break }
        detector = try MarkDetector(keys: keys, decision: decision, size: frame.size, windowSeconds: (copies?.segmentSeconds ?? 1) / 2)
        stretchStart = time
        checkpoints = [1, 4]
        found = []
      }
      try add(frame, time)
      findings.pictures += 1
      findings.seconds = time + frame.duration.doubleValue
      if let checkpoint = checkpoints.first, time - stretchStart >= checkpoint {
        checkpoints.removeFirst()
        if found.isEmpty { found = detector?.search(.direct) ?? [] }
      }
    }
    try endStretch()
    if let copies { findings.copies = CopySearch(copies, samples).run() }
    settle()
    if findings.pictures == 0 { throw MediaError(.damaged, "cannot search for marks", reason: "the input holds no picture") }
    return findings
  }

  private func add(_ frame: VideoFrame, _ time: Double) throws(MediaError) {
    let frame = try MarkFinder.isReadable(frame.format) ? frame : luma(frame)
    let format = frame.format
    let plane = frame.rawPlane(0)
    if format.bitDepth == 8 {
      detector?.add(plane.base, stride: plane.stride, time: time)
    } else {
      plane.base.withMemoryRebound(to: UInt16.self, capacity: plane.stride / 2 * plane.rowCount) {
        detector?.add($0, stride: plane.stride / 2, depth: format.bitDepth, time: time)
      }
    }
  }

  /// Whether the first plane is the luma in whole bytes or words.
  private static func isReadable(_ format: PixelFormat) -> Bool {
    !format.isRGB && (format.isPlanar || format.isGray) && (8...15).contains(format.bitDepth)
  }

  /// RGB, palettes and packed samples as Y'CbCr.
  private func luma(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    if converter?.size != frame.size { converter = try Scaler(size: frame.size, format: .yuv444p, accurate: true) }
    guard let result = try converter?.scale(frame) else {
      throw MediaError(.bug, "cannot search a picture", reason: "its samples are \(frame.format.name)")
    }
    return result
  }

  private func endStretch() throws(MediaError) {
    guard let detector else { return }
    if found.isEmpty {
      found = detector.search(effort)
    } else {
      // The first seconds showed a mark; all of them show a second one, averaged with it, that was too weak there.
      for mark in detector.search(.direct) {
        if let known = found.firstIndex(where: { $0.id == mark.id && $0.keyID == mark.keyID }) {
          if mark.z > found[known].z { found[known] = mark }
        } else {
          found.append(mark)
        }
      }
    }
    if isSparse {
      for var mark in found {
        mark.ranges = [stretchStart..<max(findings.seconds, stretchStart)]
        merge(mark)
      }
    } else {
      for mark in detector.located(found, effort: effort) { merge(mark) }
    }
    if copies != nil, let mark = found.first { samples += detector.segmentSamples(near: mark) }
    findings.attempts += detector.statistics.attempts
    findings.bestZ = max(findings.bestZ, detector.statistics.bestZ)
    self.detector = nil
  }

  /// A long input has seen more attempts than each of its stretches: their number is in every bound, and a mark
  /// that the whole would not have accepted is dropped.
  private func settle() {
    findings.marks = findings.marks.compactMap { mark in
      var mark = mark
      mark.log10FalsePositive = decision.commonLogarithmOfFalsePositive(z: mark.z, attempts: findings.attempts)
      return findings.attempts <= MarkDecision.mostAttempts || mark.log10FalsePositive <= -9 ? mark : nil
    }
  }

  /// One entry for each key and id, with all of its stretches of time.
  private func merge(_ mark: DetectedMark) {
    guard let index = findings.marks.firstIndex(where: { $0.id == mark.id && $0.keyID == mark.keyID }) else {
      findings.marks.append(mark)
      return
    }
    var merged = findings.marks[index]
    if mark.z > merged.z {
      (merged.z, merged.log10FalsePositive, merged.transform) = (mark.z, mark.log10FalsePositive, mark.transform)
    }
    for range in mark.ranges {
      if let last = merged.ranges.last, range.lowerBound <= last.upperBound + 0.25 {
        merged.ranges[merged.ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.ranges.append(range)
      }
    }
    findings.marks[index] = merged
  }
}
