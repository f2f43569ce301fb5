/// What one stretch of time says about its segment: for each place, how well its sequence fits, as a multiple of the
/// deviation of a sequence that has nothing to do with it. Positive for the first encode, negative for the second.
struct SegmentSample: Sendable {
  var start: Double
  var end: Double
  var fits: [Double]
}

/// A stretch of the input that comes from one copy.
public struct FoundCopy: Hashable, Sendable {
  public var id: WatermarkID
  /// Seconds, half-open.
  public var range: Range<Double>
  /// Natural logarithm of how much likelier this copy is than the next likely one of the manifest, given the stretch.
  public var logOdds: Double
}

/// Tells copies apart by the places and signs of their segments.
///
/// The input is a walk through (copy, place): from one sample to the next it mostly stays in its place or moves to the next,
/// seldom jumps within the copy (a cut, a reorder), more seldom to another copy (a compilation). The likeliest walk is found by
/// dynamic programming (Viterbi), for Gaussian fits of the amplitude that the input shows. Each stretch of one copy is then
/// held against every other copy's likeliest walk through the same samples.
struct CopySearch {
  /// Least advantage over noise and over the next copy beyond the number of choices: e⁷ is a thousand to one.
  static let leastLogOdds = 7.0
  private static let advance = -0.7
  private static let jump = -9.0
  private static let change = -14.0
  /// No single sample counts for more.
  private static let mostEvidence = 8.0

  private let manifest: CopyManifest
  private let rows: [[Double]]
  /// Copies that take part in the common walk; more than these many are first thinned out by their walks alone.
  private static let mostTogether = 200
  private let samples: [SegmentSample]
  private let amplitude: Double

  init(_ manifest: CopyManifest, _ samples: [SegmentSample]) {
    self.manifest = manifest
    self.samples = samples
    rows = manifest.copies.map { $0.bits.utf8.map { $0 == UInt8(ascii: "1") ? -1 : 1 } }
    let length = rows.first?.count ?? 0
    let peaks = samples.map { $0.fits.prefix(length).reduce(0) { max($0, abs($1)) } }.sorted()
    // The greatest of 64 noises is about 2.7.
    amplitude = min(max(peaks.isEmpty ? 0 : peaks[peaks.count / 2], 2.5), 8)
  }

  /// Logarithm of the likelihood ratio of `fit` at `sign` against noise.
  private func evidence(_ sample: Int, _ place: Int, _ sign: Double) -> Double {
    let value = amplitude * sign * samples[sample].fits[place] - amplitude * amplitude / 2
    return min(max(value, -Self.mostEvidence), Self.mostEvidence)
  }

  /// The likeliest walk of one copy through samples: its logarithm.
  private func walk(_ copy: Int, _ range: Range<Int>) -> Double {
    let row = rows[copy]
    var scores = row.indices.map { evidence(range.lowerBound, $0, row[$0]) }
    for sample in range.dropFirst() {
      let best = (scores.max() ?? 0) + Self.jump
      var next = scores
      for place in row.indices {
        let before = place == 0 ? (row.count == SegmentMark.positionCount ? scores[row.count - 1] : -.infinity) : scores[place - 1]
        next[place] = max(scores[place] + Self.advance, before + Self.advance, best) + evidence(sample, place, row[place])
      }
      scores = next
    }
    return scores.max() ?? 0
  }

  /// The copies that the input shows, in order of time; stretches that cannot be told are left out.
  func run() -> [FoundCopy] {
    guard !samples.isEmpty, !rows.isEmpty else { return [] }
    var candidates = Array(rows.indices)
    if candidates.count > Self.mostTogether {
      let alone = rows.indices.map { walk($0, samples.indices) }
      candidates = Array(candidates.sorted { alone[$0] > alone[$1] }.prefix(Self.mostTogether))
    }
    // The mean likelihood ratio of noise is 1 a walk, so that the chance that one of n walks reaches e^t is at most n e^-t; the
    // penalties are the logarithms of the shares of walks that advance, jump and change, what is left to choose is counted here.
    let (copies, places, times) = (Double(rows.count), Double(rows[0].count), Double(samples.count))
    let leastEvidence = Self.leastLogOdds + naturalLogarithm(copies * places * times * times)
    return stretches(of: candidates).compactMap { stretch in
      let own = walk(stretch.copy, stretch.range)
      guard own >= leastEvidence else { return nil }
      let others = rows.indices.filter { $0 != stretch.copy }.map { walk($0, stretch.range) }.max()
      let odds = others.map { own - $0 } ?? own
      guard odds >= Self.leastLogOdds + naturalLogarithm(copies) else { return nil }
      return FoundCopy(
        id: manifest.copies[stretch.copy].id, range: samples[stretch.range.lowerBound].start..<samples[stretch.range.upperBound - 1].end,
        logOdds: odds)
    }
  }

  private func stretches(of candidates: [Int]) -> [(copy: Int, range: Range<Int>)] {
    let rows = candidates.map { self.rows[$0] }
    let length = rows[0].count
    let wraps = length == SegmentMark.positionCount
    let count = rows.count * length
    var scores = [Double](repeating: 0, count: count)
    // From which copy each copy's state came is all that the way back needs; places are not kept.
    var origins: [[Int32]] = []
    for sample in samples.indices {
      if sample == 0 {
        for copy in rows.indices { for place in 0..<length { scores[copy * length + place] = evidence(0, place, rows[copy][place]) } }
        origins.append((0..<Int32(count)).map { $0 })
        continue
      }
      var overall = 0
      for state in scores.indices where scores[state] > scores[overall] { overall = state }
      var next = scores
      var came = [Int32](repeating: 0, count: count)
      for copy in rows.indices {
        let base = copy * length
        var top = base
        for state in base..<(base + length) where scores[state] > scores[top] { top = state }
        for place in 0..<length {
          let state = base + place
          var (value, from) = (scores[state] + Self.advance, state)
          if place > 0 || wraps {
            let before = place > 0 ? state - 1 : base + length - 1
            if scores[before] + Self.advance > value { (value, from) = (scores[before] + Self.advance, before) }
          }
          if scores[top] + Self.jump > value { (value, from) = (scores[top] + Self.jump, top) }
          if scores[overall] + Self.change > value { (value, from) = (scores[overall] + Self.change, overall) }
          next[state] = value + evidence(sample, place, rows[copy][place])
          came[state] = Int32(from)
        }
      }
      scores = next
      origins.append(came)
    }
    var state = 0
    for other in scores.indices where scores[other] > scores[state] { state = other }
    var copies = [Int](repeating: 0, count: samples.count)
    for sample in samples.indices.reversed() {
      copies[sample] = candidates[state / length]
      state = Int(origins[sample][state])
    }
    var result: [(copy: Int, range: Range<Int>)] = []
    for (sample, copy) in copies.enumerated() {
      if let last = result.last, last.copy == copy {
        result[result.count - 1].range = last.range.lowerBound..<(sample + 1)
      } else {
        result.append((copy, sample..<(sample + 1)))
      }
    }
    return result
  }
}
