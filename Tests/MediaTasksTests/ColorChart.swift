import MediaCore
import TestSupport
import Testing

/// Flat patches of known colours as a video file of any matrix, range, depth and subsampling; all arithmetic in floating
/// point after ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance).
struct ColorChart {
  enum Matrix: String, CaseIterable, Sendable {
    case bt601 = "smpte170m"
    case bt709
    case bt2020 = "bt2020nc"

    /// Luma weights of red and blue.
    var weights: (red: Double, blue: Double) {
      switch self {
      case .bt601: (0.299, 0.114)
      case .bt709: (0.2126, 0.0722)
      case .bt2020: (0.2627, 0.0593)
      }
    }
    var primaries: String {
      switch self {
      case .bt601: "smpte170m"
      case .bt709: "bt709"
      case .bt2020: "bt2020"
      }
    }
    var transfer: String {
      switch self {
      case .bt601: "smpte170m"
      case .bt709: "bt709"
      case .bt2020: "bt2020-10"
      }
    }
  }

  struct Layout: Sendable, CustomTestStringConvertible {
    var matrix: Matrix
    var isFull: Bool
    var depth: Int
    /// `"420"`, `"422"`, `"444"`.
    var subsampling: String
    var pixelFormat: String { "yuv\(subsampling)p" + (depth > 8 ? "\(depth)le" : "") }
    var testDescription: String { "\(matrix) \(isFull ? "full" : "limited") \(pixelFormat)" }

    static let all: [Layout] = Matrix.allCases.flatMap { matrix in
      [false, true].flatMap { isFull in
        [8, 10].flatMap { depth in
          ["420", "422", "444"].map { Layout(matrix: matrix, isFull: isFull, depth: depth, subsampling: $0) }
        }
      }
    }
  }

  typealias Color = (Double, Double, Double)

  static let columns = 6
  static let rows = 4
  /// Side of a patch in pixels.
  static let side = 32
  static var width: Int { columns * side }
  static var height: Int { rows * side }

  /// 24 colours, nominally 8-bit RGB: greys, the edges of the cube short of clipping, skin, foliage and others between.
  static let wanted: [Color] = [
    (16, 16, 16), (64, 64, 64), (128, 128, 128), (191, 191, 191), (235, 235, 235), (100, 101, 99), (228, 22, 22), (22, 228, 22),
    (22, 22, 228), (228, 228, 22), (22, 228, 228), (228, 22, 228), (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67),
    (133, 128, 177), (103, 189, 170), (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
  ]

  let layout: Layout

  /// The colours that the patches have: the nearest to `wanted` that 8-bit limited range can hold exactly, so that an exact
  /// conversion to it loses nothing.
  var colors: [Color] {
    ColorChart.wanted.map { color in
      let codes = ColorChart.codes(color, matrix: layout.matrix, isFull: false, depth: 8)
      return ColorChart.color((codes.0.rounded(), codes.1.rounded(), codes.2.rounded()), matrix: layout.matrix, isFull: false)
    }
  }

  /// Unrounded Y, Cb and Cr codes of a colour in 0...255.
  static func codes(_ color: Color, matrix: Matrix, isFull: Bool, depth: Int) -> Color {
    let (kr, kb) = matrix.weights
    let (r, g, b) = (color.0 / 255, color.1 / 255, color.2 / 255)
    let y = kr * r + (1 - kr - kb) * g + kb * b
    let (cb, cr) = ((b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr)))
    let unit = Double(1 << (depth - 8))
    let top = Double(1 << depth) - 1
    return isFull
      ? (y * top, cb * top + 128 * unit, cr * top + 128 * unit)
      : ((16 + 219 * y) * unit, (128 + 224 * cb) * unit, (128 + 224 * cr) * unit)
  }

  /// The colour, in 0...255, of 8-bit codes.
  static func color(_ codes: Color, matrix: Matrix, isFull: Bool) -> Color {
    let (kr, kb) = matrix.weights
    let y = isFull ? codes.0 / 255 : (codes.0 - 16) / 219
    let cb = (codes.1 - 128) / (isFull ? 255 : 224)
    let cr = (codes.2 - 128) / (isFull ? 255 : 224)
    let r = y + 2 * (1 - kr) * cr
    let b = y + 2 * (1 - kb) * cb
    return (r * 255, (y - kr * r - kb * b) / (1 - kr - kb) * 255, b * 255)
  }

  /// Planar raw pictures of the chart.
  func raw(frames: Int) -> [UInt8] {
    let stepX = layout.subsampling == "444" ? 1 : 2
    let stepY = layout.subsampling == "420" ? 2 : 1
    let codes = colors.map { ColorChart.codes($0, matrix: layout.matrix, isFull: layout.isFull, depth: layout.depth) }
    var picture: [UInt8] = []
    for plane in 0..<3 {
      let (dx, dy) = plane == 0 ? (1, 1) : (stepX, stepY)
      for y in stride(from: 0, to: ColorChart.height, by: dy) {
        for x in stride(from: 0, to: ColorChart.width, by: dx) {
          let code = codes[y / ColorChart.side * ColorChart.columns + x / ColorChart.side]
          let value = Int((plane == 0 ? code.0 : plane == 1 ? code.1 : code.2).rounded())
          picture.append(UInt8(value & 255))
          if layout.depth > 8 { picture.append(UInt8(value >> 8)) }
        }
      }
    }
    return (0..<frames).flatMap { _ in picture }
  }

  /// The mean colour of the middle of each patch of an 8-bit 4:2:0 picture.
  static func measure(_ picture: [UInt8], matrix: Matrix, isFull: Bool) -> [Color] {
    func mean(_ base: Int, _ stride: Int, _ scale: Int, _ column: Int, _ row: Int) -> Double {
      let size = side / scale
      var sum = 0
      var count = 0
      for y in (row * size + size / 4)..<(row * size + size * 3 / 4) {
        for x in (column * size + size / 4)..<(column * size + size * 3 / 4) {
          sum += Int(picture[base + y * stride + x])
          count += 1
        }
      }
      return Double(sum) / Double(count)
    }
    let luma = width * height
    return (0..<rows * columns).map { index in
      let (row, column) = (index / columns, index % columns)
      return color(
        (
          mean(0, width, 1, column, row), mean(luma, width / 2, 2, column, row), mean(luma + luma / 4, width / 2, 2, column, row)
        ), matrix: matrix, isFull: isFull)
    }
  }
}
