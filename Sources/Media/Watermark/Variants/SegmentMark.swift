internal import Crypto

/// What a variant carries besides the id: in each segment of the video the sequence of its place, or its opposite.
///
/// Two encodes of one video, one with the sequences and one with their opposites, can be cut at the segments' starts and put
/// together in 2ⁿ ways without another encode. A segment says by itself which place it has and which encode it is from, so
/// that it is still told after a trim or a reorder.
public struct SegmentMark: Hashable, Sendable {
  /// Places repeat after so many segments.
  public static let positionCount = 64

  /// Pictures a segment: segment k starts with the first picture of index ≥ k · `picturesPerSegment`.
  public var picturesPerSegment: Double
  /// The opposite sequences.
  public var isSecond: Bool

  public init(picturesPerSegment: Double, isSecond: Bool) {
    self.picturesPerSegment = picturesPerSegment
    self.isSecond = isSecond
  }

  func segment(ofPicture index: Int) -> Int { Int((Double(index) + 1e-6) / picturesPerSegment) }

  /// The signs of the variant lines for one place: real parts of the 96 lines, then imaginary parts. From the key's
  /// generator `watermark 1 positions`: six words a place, bit i % 32 of word i / 32, 0 is +1.
  static func sequences(of key: WatermarkKey) -> [[Float]] {
    var generator = KeyedGenerator(secret: key.secret, label: "watermark 1 positions")
    let count = 2 * CarrierLayout.variantCount
    return (0..<positionCount).map { _ in
      let words = (0..<(count / 32)).map { _ in generator.nextWord() }
      return (0..<count).map { words[$0 / 32] >> UInt32($0 % 32) & 1 == 1 ? -1 : 1 }
    }
  }
}
