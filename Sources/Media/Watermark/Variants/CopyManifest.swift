internal import Crypto

/// The individually marked copies of one video: which of two marked encodes each copy takes in each segment.
///
/// A segment carries one of two ids of this manifest, so that a copy is a sequence of bits, one a segment, and costs a remux
/// instead of an encode. Sequences come from the key and are kept far apart from each other.
public struct CopyManifest: Codable, Hashable, Sendable {
  public struct Copy: Codable, Hashable, Sendable {
    public var id: WatermarkID
    /// `"0"` or `"1"` for each segment.
    public var bits: String
  }

  public var schema = 1
  /// The ids that the two encodes carry, for bits 0 and 1.
  public var variantIds: [WatermarkID]
  public var keyId: String
  public var segmentSeconds: Double
  public var copies: [Copy]

  /// Chooses sequences of `segments` bits for `ids`: each the best of 32 candidates of the key's generator by its
  /// least distance to those chosen before.
  public init(ids: [WatermarkID], variantIds: [WatermarkID], key: WatermarkKey, segments: Int, segmentSeconds: Double) {
    precondition(variantIds.count == 2 && segments > 0)
    self.variantIds = variantIds
    self.segmentSeconds = segmentSeconds
    keyId = key.id.description
    var generator = KeyedGenerator(secret: key.secret, label: "watermark 1 copies \(variantIds[0]) \(variantIds[1])")
    let words = (segments + 63) / 64
    let last: UInt64 = segments % 64 == 0 ? .max : 1 << UInt64(segments % 64) - 1
    var chosen: [[UInt64]] = []
    for _ in ids {
      var best: (distance: Int, bits: [UInt64]) = (-1, [])
      for _ in 0..<32 {
        var bits = (0..<words).map { _ in generator.next() }
        bits[words - 1] &= last
        let distance = chosen.reduce(segments) { least, other in
          min(least, zip(bits, other).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount })
        }
        if distance > best.distance { best = (distance, bits) }
      }
      chosen.append(best.bits)
    }
    copies = zip(ids, chosen).map { id, bits in
      Copy(id: id, bits: (0..<segments).map { bits[$0 / 64] >> UInt64($0 % 64) & 1 == 1 ? "1" : "0" }.joined())
    }
  }

  /// Bits by which the two nearest sequences differ.
  public var leastDistance: Int {
    var least = copies.first?.bits.utf8.count ?? 0
    for (index, copy) in copies.enumerated() {
      for other in copies[..<index] {
        least = min(least, zip(copy.bits.utf8, other.bits.utf8).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) })
      }
    }
    return least
  }
}

/// Which variant a stretch of time shows: positive for the second.
struct VariantSample: Sendable {
  var start: Double
  var end: Double
  var value: Double
}

extension CopyManifest {
  /// The copy that explains the samples best under any shift in time, nil where two explain them about equally well.
  ///
  /// A copy's score is Σ v e / √(Σ v²), e being the mean of its signs over each sample's time. For sequences that have nothing to
  /// do with the video the chance of a score ≥ T is at most exp(−T²/2) (Hoeffding). Accepted are scores whose bound, times
  /// the number of copies and shifts tried, is below 10⁻³, and that lead the next copy by 15 %.
  func bestCopy(_ samples: [VariantSample]) -> (id: WatermarkID, score: Double)? {
    let norm = samples.reduce(0) { $0 + $1.value * $1.value }.squareRoot()
    guard norm > 0, let first = copies.first else { return nil }
    let total = Double(first.bits.utf8.count) * segmentSeconds
    let length = samples.reduce(0) { max($0, $1.end) }
    let step = segmentSeconds / 4
    let shifts = Array(stride(from: min(0, total - length), through: max(0, total - length) + step / 2, by: step))
    var best: (id: WatermarkID, score: Double) = (first.id, -.infinity)
    var next = -Double.infinity
    for copy in copies {
      // Integral of the signs, so that a mean over any stretch is a difference.
      var integral = [0.0]
      for bit in copy.bits.utf8 {
        integral.append(integral[integral.count - 1] + (bit == UInt8(ascii: "1") ? segmentSeconds : -segmentSeconds))
      }
      func area(_ time: Double) -> Double {
        let place = min(max(time / segmentSeconds, 0), Double(integral.count - 1))
        let index = min(Int(place), integral.count - 2)
        return integral[index] + (integral[index + 1] - integral[index]) * (place - Double(index))
      }
      var score = -Double.infinity
      for shift in shifts {
        let sum = samples.reduce(0.0) { $0 + $1.value * (area($1.end + shift) - area($1.start + shift)) / max($1.end - $1.start, 1e-6) }
        score = max(score, sum / norm)
      }
      if score > best.score {
        next = best.score
        best = (copy.id, score)
      } else {
        next = max(next, score)
      }
    }
    let bound = exponential(-best.score * best.score / 2) * Double(copies.count * shifts.count)
    return best.score > 0 && bound < 1e-3 && next < best.score * 0.85 ? best : nil
  }
}
