import CKernels
import Testing

@Suite struct TextKernelTests {
  /// Against the definition of "over" in floating point, at odd sizes and with bytes around the picture that must stay as they are.
  @Test(arguments: [1, 3, 16, 33], [0x10_80_F0_FF, 0xFF_FF_FF_80, 0x00_00_00_01] as [UInt32])
  func drawsCoverageOver(_ width: Int, _ color: UInt32) {
    let height = 5
    let stride = width * 4 + 12
    var random = SystemRandomNumberGenerator()
    let coverage = (0..<width * height).map { _ in UInt8.random(in: 0...255, using: &random) }
    var pixels = [UInt8](repeating: 77, count: stride * height)
    for y in 0..<height {
      for x in 0..<width {
        let alpha = UInt8.random(in: 0...255, using: &random)
        for c in 0..<3 { pixels[y * stride + x * 4 + c] = UInt8.random(in: 0...alpha, using: &random) }
        pixels[y * stride + x * 4 + 3] = alpha
      }
    }
    let before = pixels
    rw_text_draw(&pixels, stride, coverage, width, Int32(width), Int32(height), color)
    for y in 0..<height {
      for x in 0..<width {
        let a = Double(coverage[y * width + x]) / 255 * Double(color & 255) / 255
        for c in 0..<4 {
          let source = c == 3 ? 255 : Double(color >> UInt32(24 - 8 * c) & 255)
          let expected = source * a + Double(before[y * stride + x * 4 + c]) * (1 - a)
          #expect(abs(Double(pixels[y * stride + x * 4 + c]) - expected) <= 1.6)
        }
      }
      for x in width * 4..<stride { #expect(pixels[y * stride + x] == 77) }
    }
  }

  @Test func picturesAreAveragedAndStraightened() {
    // 4x2 of opaque and clear columns becomes 2x1: half covered, half the colour; straightened it is the full colour again.
    let column: [UInt8] = [10, 100, 200, 255, 0, 0, 0, 0]
    let bgra = column + column + column + column
    var rgba = [UInt8](repeating: 0, count: 8)
    rw_text_draw_picture(&rgba, 8, 2, 1, bgra, 16, 4, 2)
    #expect(rgba == [100, 50, 5, 128, 100, 50, 5, 128])
    rw_text_straighten(&rgba, 2)
    #expect(rgba == [199, 100, 10, 128, 199, 100, 10, 128])
    var clear: [UInt8] = [0, 0, 0, 0, 9, 8, 7, 255]
    rw_text_straighten(&clear, 2)
    #expect(clear == [0, 0, 0, 0, 9, 8, 7, 255])
  }
}
