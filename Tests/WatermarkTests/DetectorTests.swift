import Crypto
import MediaCore
import Testing

@testable import Watermark

/// Marks synthetic pictures and finds the mark again; recovery after real encoders and attacks is measured by
/// `Benchmarks/watermark_robustness.py`.
@Suite struct DetectorTests {
  private static let key = WatermarkKey(secret: SecretBytes(Array(0..<16)))
  private static let id = WatermarkID(0x0123_4567_89AB_CDEF)

  /// Smooth shapes and texture that move from picture to picture.
  static func picture(_ width: Int, _ height: Int, _ index: Int) -> [UInt8] {
    var picture = [UInt8](repeating: 0, count: width * height)
    var state = UInt64(index + 1)
    for y in 0..<height {
      for x in 0..<width {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let wave = (x &* x / 300 &+ (y &+ 3 * index) &* y / 500 &+ index &* 9) & 127
        let ramp = wave < 64 ? wave : 127 &- wave
        picture[y &* width &+ x] = UInt8(truncatingIfNeeded: 60 &+ ramp &+ Int(state >> 61) &+ (x &+ 5 * index) / 97 % 3 * 25)
      }
    }
    return picture
  }

  static func marked(_ size: FrameSize, count: Int = 3, key: WatermarkKey = key) throws -> [[UInt8]] {
    let embedder = try MarkEmbedder(key: key, id: id, size: size)
    return (0..<count).map { index in
      var picture = picture(size.width, size.height, index)
      picture.withUnsafeMutableBufferPointer { embedder.embed($0.baseAddress!, stride: size.width) }
      return picture
    }
  }

  static func search(_ pictures: [[UInt8]], _ size: FrameSize, decision: MarkDecision = .open, effort: MarkDetector.Effort = .full)
    throws -> (marks: [DetectedMark], statistics: MarkDetector.Statistics)
  {
    let detector = try MarkDetector(keys: [key], decision: decision, size: size)
    for (index, picture) in pictures.enumerated() { detector.add(picture, stride: size.width, time: Double(index) / 2) }
    return (detector.search(effort), detector.statistics)
  }

  @Test(arguments: [FrameSize(480, 854), FrameSize(640, 360), FrameSize(403, 301)])
  func aMarkIsFound(_ size: FrameSize) throws {
    let found = try Self.search(Self.marked(size), size, effort: .direct)
    let mark = try #require(found.marks.first)
    #expect(mark.id == Self.id && mark.keyID == Self.key.id && !mark.transform.flipped)
    #expect(mark.z > 12.2 && mark.log10FalsePositive < -9)
    let expected = Double(min(size.width, size.height)) / 720
    #expect(abs(mark.transform.scaleX / expected - 1) < 0.003 && abs(mark.transform.scaleY / expected - 1) < 0.003)
  }

  /// A picture of `size` whose sample (x, y) is the source's sample at `place`.
  private static func remapped(_ pictures: [[UInt8]], _ size: FrameSize, _ place: (Int, Int) -> Int) -> [[UInt8]] {
    pictures.map { source in
      var result: [UInt8] = []
      result.reserveCapacity(size.width * size.height)
      for y in 0..<size.height {
        for x in 0..<size.width { result.append(source[place(x, y)]) }
      }
      return result
    }
  }

  @Test func mirroredTurnedAndUpsideDown() throws {
    let size = FrameSize(480, 640)
    let pictures = try Self.marked(size)
    let mirrored = Self.remapped(pictures, size) { x, y in y * 480 + 479 - x }
    let mark = try #require(try Self.search(mirrored, size, effort: .direct).marks.first)
    #expect(mark.id == Self.id && mark.transform.flipped)
    let turned = Self.remapped(pictures, FrameSize(640, 480)) { x, y in (639 - x) * 480 + y }
    #expect(try Self.search(turned, FrameSize(640, 480), effort: .direct).marks.first?.id == Self.id)
    let reversed = Self.remapped(pictures, size) { x, y in (639 - y) * 480 + 479 - x }
    let third = try #require(try Self.search(reversed, size, effort: .direct).marks.first)
    #expect(third.id == Self.id && abs(abs(third.transform.rotationDegrees) - 180) < 1)
  }

  @Test func aCropIsFoundBlindly() throws {
    let crop = FrameSize(330, 600)
    let pictures = Self.remapped(try Self.marked(FrameSize(480, 854)), crop) { x, y in (y + 101) * 480 + x + 61 }
    let mark = try #require(try Self.search(pictures, crop).marks.first)
    #expect(mark.id == Self.id && abs(mark.transform.scaleX / (480.0 / 720) - 1) < 0.004)
  }

  @Test func othersFindNothing() throws {
    let size = FrameSize(320, 240)
    let foreign = try Self.search(Self.marked(size, key: WatermarkKey(secret: SecretBytes([UInt8](repeating: 9, count: 16)))), size)
    #expect(foreign.marks.isEmpty && foreign.statistics.bestZ < 12.2)
    let unmarked = try Self.search((0..<3).map { Self.picture(size.width, size.height, $0) }, size)
    #expect(unmarked.marks.isEmpty && unmarked.statistics.attempts > 8 && unmarked.statistics.attempts < MarkDecision.mostAttempts)
  }

  @Test func theRegistryDecides() throws {
    let size = FrameSize(480, 480)
    let pictures = try Self.marked(size)
    let right = try Self.search(pictures, size, decision: .registry([WatermarkID(5), Self.id]), effort: .direct)
    #expect(right.marks.first?.id == Self.id)
    let wrong = try Self.search(pictures, size, decision: .registry([WatermarkID(5), WatermarkID(6)]), effort: .direct)
    #expect(wrong.marks.isEmpty)
    #expect(try Self.search(pictures, size, decision: .expect(Self.id), effort: .direct).marks.first?.id == Self.id)
  }

  @Test func flatPicturesDoNotTrap() throws {
    let size = FrameSize(200, 160)
    #expect(try Self.search([[UInt8](repeating: 0, count: 32000)], size).marks.isEmpty)
  }

  @Test func qualityIsBounded() throws {
    let size = FrameSize(480, 640)
    let embedder = try MarkEmbedder(key: Self.key, id: Self.id, size: size)
    for index in 0..<3 {
      let original = Self.picture(size.width, size.height, index)
      var changed = original
      changed.withUnsafeMutableBufferPointer { embedder.embed($0.baseAddress!, stride: size.width) }
      let square = zip(original, changed).reduce(0.0) { $0 + Double(Int($1.0) - Int($1.1)) * Double(Int($1.0) - Int($1.1)) }
      #expect(square > 0 && square / Double(original.count) < 255 * 255 / 20_000)  // 43 dB
    }
    #expect(try #require(embedder.statistics.worstPSNR) >= 42.4)
  }

  @Test func smallPicturesAreRefused() {
    #expect(throws: MediaError.self) { try MarkEmbedder(key: Self.key, id: Self.id, size: FrameSize(95, 400)) }
    #expect(throws: MediaError.self) { try MarkDetector(keys: [Self.key], decision: .open, size: FrameSize(400, 40)) }
  }

  /// The bound of the decision rule: exp(−T²/2) times words times attempts stays below 10⁻⁹.
  @Test func thresholdsKeepTheirPromise() {
    #expect(MarkDecision.open.commonLogarithmOfFalsePositive(z: 12.2, attempts: 10_000) < -9)
    for count in [1, 10, 4000, 1 << 17] {
      let registry = MarkDecision.registry((0..<count).map { WatermarkID(UInt64($0)) })
      let bound = registry.commonLogarithmOfFalsePositive(z: registry.threshold, attempts: MarkDecision.mostAttempts)
      #expect(bound < -9 && bound > -9.1)
    }
    #expect(MarkDecision.expect(Self.id).commonLogarithmOfFalsePositive(z: 7.8, attempts: 10_000) < -9)
  }
}
