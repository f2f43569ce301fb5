internal import FFmpegBridge
internal import MediaCore

/// The two pictures that the contact sheet changes between: a warm one with a sun, a cool one with squares.
enum SheetPicture {
  static func first(_ size: FrameSize) throws(MediaError) -> VideoFrame {
    try draw(size) { x, y in
      let (dx, dy) = (x - 0.7, (y - 0.35) * 0.56)
      if dx * dx + dy * dy < 0.012 { return (255, 236, 150) }
      if y > 0.62 + 0.1 * (x - 0.3).magnitude { return (96 - Int(60 * x), 60, 30) }
      return (235 - Int(60 * y), 120 + Int(70 * y), 60)
    }
  }

  static func second(_ size: FrameSize) throws(MediaError) -> VideoFrame {
    try draw(size) { x, y in
      let isLight = (Int(x * 8) + Int(y * 4.5)) % 2 == 0
      return isLight ? (70, 150 - Int(60 * y), 225) : (20, 60 + Int(90 * x), 120)
    }
  }

  /// Diagonal waves, for the luma map.
  static let map: TransitionMap = {
    let size = FrameSize(64, 36)
    let samples = (0..<(size.width * size.height)).map { index -> UInt8 in
      let (x, y) = (index % size.width, index / size.width)
      let phase = (x * 4 + y * 9) % 256
      return UInt8(phase < 128 ? phase * 2 : (255 - phase) * 2)
    }
    return TransitionMap(size: size, samples: samples)
  }()

  /// `color`: R'G'B' at fractions of width and height.
  private static func draw(_ size: FrameSize, _ color: (Double, Double) -> (Int, Int, Int)) throws(MediaError) -> VideoFrame {
    var frame = try FramePool(size: size, format: .yuv420p).frame()
    for plane in 0..<3 {
      let step = plane == 0 ? 1 : 2
      for y in 0..<(size.height / step) {
        frame.withRow(y, ofPlane: plane) { row in
          for x in 0..<(size.width / step) {
            let rgb = color((Double(x * step) + 0.5) / Double(size.width), (Double(y * step) + 0.5) / Double(size.height))
            let code = CodeColor(
              red: UInt8(clamping: rgb.0), green: UInt8(clamping: rgb.1), blue: UInt8(clamping: rgb.2), tags: .bt709)
            row[x] = UInt8(plane == 0 ? code.y : plane == 1 ? code.cb : code.cr)
          }
        }
      }
    }
    return frame.freeze(time: .zero, duration: .zero, color: .bt709)
  }
}
