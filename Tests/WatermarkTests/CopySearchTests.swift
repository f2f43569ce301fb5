import Crypto
import MediaCore
import Testing

@testable import Watermark

/// Copies told by places and signs of segments, from made-up fits: what a trim, a cut, noise and a second copy do.
@Suite struct CopySearchTests {
  private static let key = WatermarkKey(secret: SecretBytes(Array(0..<16)))
  private static let manifest = CopyManifest(
    ids: (0..<100).map { WatermarkID($0) }, videoId: WatermarkID(7), key: key, segments: 30, segmentSeconds: 0.5)

  /// Two samples a segment of `copy`, for segments in any order; `amplitude` in deviations of the noise.
  private static func samples(_ copy: Int, _ segments: [Int], amplitude: Double, seed: UInt64, from start: Double = 0) -> [SegmentSample] {
    var generator = KeyedGenerator(secret: SecretBytes([UInt8](repeating: UInt8(seed), count: 16)), label: "noise")
    func noise() -> Double { (0..<12).reduce(-6) { sum, _ in sum + generator.unit() } }
    let choices = manifest.choices(of: manifest.copies[copy])
    return segments.enumerated().flatMap { order, segment in
      (0..<2).map { half in
        var fits = (0..<SegmentMark.positionCount).map { _ in noise() }
        fits[segment] += choices[segment] ? -amplitude : amplitude
        let begin = start + Double(order) / 2 + Double(half) / 4
        return SegmentSample(start: begin, end: begin + 0.25, fits: fits)
      }
    }
  }

  @Test(arguments: [4.0, 7.0]) func wholeTrimmedAndReordered(_ amplitude: Double) {
    for (seed, segments) in [Array(0..<30), Array(6..<27), Array(15..<30) + Array(0..<15)].enumerated() {
      let copy = 11 * seed + 5
      let found = CopySearch(Self.manifest, Self.samples(copy, segments, amplitude: amplitude, seed: UInt64(seed + 1))).run()
      #expect(found.map(\.id) == [Self.manifest.copies[copy].id])
    }
  }

  @Test func aCompilationNamesBoth() throws {
    let first = Self.samples(3, Array(0..<20), amplitude: 5, seed: 9)
    let second = Self.samples(77, Array(8..<30), amplitude: 5, seed: 10, from: 10)
    let found = CopySearch(Self.manifest, first + second).run()
    #expect(found.map(\.id) == [WatermarkID(3), WatermarkID(77)])
    #expect(abs(try #require(found.first).range.upperBound - 10) <= 0.5)
  }

  @Test func noiseNamesNobody() {
    for seed in 20..<28 {
      #expect(CopySearch(Self.manifest, Self.samples(0, Array(0..<30), amplitude: 0, seed: UInt64(seed))).run().isEmpty)
    }
    #expect(CopySearch(Self.manifest, []).run().isEmpty)
  }

  @Test func rowsRepeatAfterSixtyFourSegments() {
    let long = CopyManifest(
      ids: [WatermarkID(1), WatermarkID(2)], videoId: WatermarkID(7), key: Self.key, segments: 90, segmentSeconds: 0.5)
    let choices = long.choices(of: long.copies[0])
    #expect(choices.count == 90 && Array(choices[64...]) == Array(choices[..<26]))
    #expect(SegmentMark(picturesPerSegment: 12.5, isSecond: false).segment(ofPicture: 12) == 0)
    #expect(SegmentMark(picturesPerSegment: 12.5, isSecond: false).segment(ofPicture: 13) == 1)
  }
}
