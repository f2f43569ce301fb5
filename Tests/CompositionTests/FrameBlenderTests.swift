import Composition
import FFmpegBridge
import MediaCore
import Testing

@Suite struct FrameBlenderTests {
  static let tags = ColorTags.bt709

  static func frame(_ width: Int, _ height: Int, _ format: PixelFormat = .yuv420p, _ color: CodeColor) throws -> VideoFrame {
    var frame = try FramePool(size: FrameSize(width, height), format: format).frame()
    FrameBlender().fill(color, into: &frame)
    return frame.freeze(time: .zero, duration: .zero, color: tags)
  }

  static func samples(_ frame: VideoFrame, _ plane: Int, _ y: Int) -> [UInt8] {
    frame.withPlane(plane) { view in
      let row = view.row(y)
      return (0..<row.count).map { row[$0] }
    }
  }

  @Test("Primary colours have the code values of BT.709 and BT.601 (ITU-R BT.709-6 table 3, BT.601-7 section 2.5)")
  func codeValues() {
    let white = CodeColor(red: 255, green: 255, blue: 255, tags: Self.tags)
    #expect(white == CodeColor(y: 235, cb: 128, cr: 128))
    #expect(CodeColor.black(Self.tags) == CodeColor(y: 16, cb: 128, cr: 128))
    #expect(CodeColor(red: 255, green: 0, blue: 0, tags: Self.tags) == CodeColor(y: 63, cb: 102, cr: 240))
    #expect(CodeColor(red: 0, green: 0, blue: 255, tags: Self.tags, bits: 10) == CodeColor(y: 127, cb: 960, cr: 471))
    var sd = Self.tags
    sd.matrix = .smpte170m
    #expect(CodeColor(red: 0, green: 255, blue: 0, tags: sd) == CodeColor(y: 145, cb: 54, cr: 34))
  }

  @Test("Crossfade, fade through colour and mask reach every plane")
  func blends() throws {
    let a = try Self.frame(50, 26, .yuv420p, CodeColor(y: 40, cb: 100, cr: 200))
    let b = try Self.frame(50, 26, .yuv420p, CodeColor(y: 140, cb: 150, cr: 20))
    let blender = FrameBlender()
    let pool = try FramePool(size: FrameSize(50, 26), format: .yuv420p)
    func values(_ body: (inout MutableFrame) -> Void) throws -> [UInt8] {
      var target = try pool.frame()
      body(&target)
      let frame = target.freeze(time: .zero, duration: .zero, color: Self.tags)
      return [Self.samples(frame, 0, 25)[49], Self.samples(frame, 1, 12)[24], Self.samples(frame, 2, 12)[24]]
    }
    #expect(try values { blender.crossfade(a, b, weight: 0.25, into: &$0) } == [65, 113, 155])
    #expect(try values { blender.mix(a, b, weightA: 0.5, weightB: 0, color: .black(Self.tags), into: &$0) } == [28, 114, 164])
    let mask = [UInt8](repeating: 51, count: 50 * 26)
    #expect(try values { blender.blend(a, b, mask: mask, into: &$0) } == [60, 110, 164])
  }

  @Test("An overlay is blended once, at any position, also partly outside", arguments: [(3, 5), (4, 6), (-3, -5), (45, 21), (80, 80)])
  func overlay(position: (Int, Int)) throws {
    let back = try Self.frame(50, 26, .yuv420p, CodeColor(y: 16, cb: 128, cr: 128))
    let (width, height) = (10, 8)
    let image = OverlayImage(
      rgba: (0..<(width * height)).flatMap { _ in [UInt8(255), 255, 255, 128] }, size: FrameSize(width, height), tags: Self.tags)
    var target = try FramePool(size: back.size, format: back.format).copy(of: back)
    FrameBlender().overlay(image, x: position.0, y: position.1, opacity: 0.5, into: &target)
    let frame = target.freeze(time: .zero, duration: .zero, color: Self.tags)
    for y in 0..<26 {
      let expected = (0..<50).map { x -> UInt8 in
        let inside = x >= position.0 && x < position.0 + width && y >= position.1 && y < position.1 + height
        return inside ? 71 : 16  // 16 + 219 × 128/255 × ½
      }
      #expect(Self.samples(frame, 0, y) == expected)
    }
    for y in 0..<13 { #expect(Self.samples(frame, 1, y) == [UInt8](repeating: 128, count: 25)) }
  }

  @Test("A red overlay on an odd column weighs chroma by the pixels it covers")
  func overlayChroma() throws {
    let back = try Self.frame(16, 8, .yuv420p, CodeColor(y: 16, cb: 128, cr: 128))
    let image = OverlayImage(rgba: (0..<16).flatMap { _ in [UInt8(255), 0, 0, 255] }, size: FrameSize(4, 4), tags: Self.tags)
    var target = try FramePool(size: back.size, format: back.format).copy(of: back)
    FrameBlender().overlay(image, x: 3, y: 2, opacity: 1, into: &target)
    let frame = target.freeze(time: .zero, duration: .zero, color: Self.tags)
    // Columns 3…6: chroma sample 1 is covered by half, 2 wholly, 3 by half; red is Cr 240.
    #expect(Self.samples(frame, 2, 1) == [128, 184, 240, 184, 128, 128, 128, 128])
    #expect(Self.samples(frame, 2, 3) == [UInt8](repeating: 128, count: 8))
  }
}
