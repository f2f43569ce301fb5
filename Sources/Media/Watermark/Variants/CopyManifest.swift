internal import Crypto

/// The individually marked copies of one video: which of two encodes each copy takes in each segment.
///
/// Both encodes carry the video's id; they differ by the sign of each segment's sequence (`SegmentMark`), so that a copy is a
/// row of bits, one a segment, and costs a remux instead of an encode. Rows come from the key and are kept far apart from each
/// other; after `SegmentMark.positionCount` segments they repeat.
public struct CopyManifest: Codable, Hashable, Sendable {
  public struct Copy: Codable, Hashable, Sendable {
    public var id: WatermarkID
    /// `"0"` or `"1"` for each place.
    public var bits: String
  }

  public var schema = 1
  /// The id that every copy carries.
  public var videoId: WatermarkID
  public var keyId: String
  public var segmentSeconds: Double
  /// Segments of the whole video.
  public var segments: Int
  public var copies: [Copy]

  /// Chooses rows for `ids`: each the best of 32 candidates of the key's generator by its least distance to those chosen
  /// before. Time grows with the square of the number of copies: 0.1 s for 1,000.
  public init(ids: [WatermarkID], videoId: WatermarkID, key: WatermarkKey, segments: Int, segmentSeconds: Double) {
    precondition(segments > 0)
    self.videoId = videoId
    self.segmentSeconds = segmentSeconds
    self.segments = segments
    keyId = key.id.description
    let length = min(segments, SegmentMark.positionCount)
    var generator = KeyedGenerator(secret: key.secret, label: "watermark 1 copies \(videoId)")
    let mask: UInt64 = length == 64 ? .max : 1 << UInt64(length) - 1
    var chosen: [UInt64] = []
    for _ in ids {
      var best: (distance: Int, bits: UInt64) = (-1, 0)
      for _ in 0..<32 {
        let bits = generator.next() & mask
        let distance = chosen.reduce(length) { min($0, (bits ^ $1).nonzeroBitCount) }
        if distance > best.distance { best = (distance, bits) }
      }
      chosen.append(best.bits)
    }
    copies = zip(ids, chosen).map { id, bits in
      Copy(id: id, bits: (0..<length).map { bits >> UInt64($0) & 1 == 1 ? "1" : "0" }.joined())
    }
  }

  /// Which encode each segment of a copy comes from: true for the second.
  public func choices(of copy: Copy) -> [Bool] {
    let bits = Array(copy.bits.utf8)
    return (0..<segments).map { bits[$0 % bits.count] == UInt8(ascii: "1") }
  }

  /// Places by which the two nearest rows differ.
  public var leastDistance: Int {
    let rows = copies.map { Array($0.bits.utf8) }
    var least = rows.first?.count ?? 0
    for (index, row) in rows.enumerated() {
      for other in rows[..<index] { least = min(least, zip(row, other).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }) }
    }
    return least
  }
}
