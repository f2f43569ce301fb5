import CKernels
import MediaCore

/// Coefficients of the conversion kernels from colour tags.
enum ColorMatrix {
  /// Kr and Kb of a matrix (H.273, table 4).
  static func lumaWeights(_ matrix: ColorTags.Matrix) -> (kr: Double, kb: Double) {
    switch matrix {
    case .bt709: (0.2126, 0.0722)
    case .bt2020ncl: (0.2627, 0.0593)
    case .smpte240m: (0.212, 0.087)
    default: (0.299, 0.114)
    }
  }

  /// Y'CbCr of `bits` bits with these tags (resolved) to full-range RGB.
  static func toRGB(_ tags: ColorTags, bits: Int) -> rw_yuv_matrix {
    let real = rgbCoefficients(tags, bits: bits)
    return fixed(bits: bits, offset: real.offset, gain: real.gain, chroma: real.chroma)
  }

  /// Y'CbCr of `bits` bits with these tags to JFIF's full-range BT.601 (ITU-T T.871, 6.2).
  static func toJFIF(_ tags: ColorTags, bits: Int) -> rw_yuv_matrix {
    let real = rgbCoefficients(tags, bits: bits)
    let weights = [0.299, 0.587, 0.114]
    let luma = (0..<2).map { column in (0..<3).reduce(0) { $0 + weights[$1] * real.chroma[$1][column] } }
    let cb = (0..<2).map { (real.chroma[2][$0] - luma[$0]) / 1.772 }
    let cr = (0..<2).map { (real.chroma[0][$0] - luma[$0]) / 1.402 }
    // Rounding noise of a source that is BT.601 already must not cost a pass over the chroma.
    let clean = luma.map { abs($0) < 1e-9 ? 0 : $0 }
    return fixed(bits: bits, offset: real.offset, gain: real.gain, chroma: [clean, cb, cr])
  }

  private static func rgbCoefficients(_ tags: ColorTags, bits: Int) -> (offset: Int, gain: Double, chroma: [[Double]]) {
    let (kr, kb) = lumaWeights(tags.matrix)
    let kg = 1 - kr - kb
    let isFull = tags.range == .full
    let step = Double(1 << (bits - 8))
    let peak = Double(1 << bits - 1)
    let c = isFull ? 255 / peak : 255 / (224 * step)
    return (
      isFull ? 0 : 16 << (bits - 8), isFull ? 255 / peak : 255 / (219 * step),
      [
        [0, 2 * (1 - kr) * c], [-2 * (1 - kb) * kb / kg * c, -2 * (1 - kr) * kr / kg * c], [2 * (1 - kb) * c, 0],
      ]
    )
  }

  /// See `rw_yuv_matrix` for the fixed-point form.
  private static func fixed(bits: Int, offset: Int, gain: Double, chroma: [[Double]]) -> rw_yuv_matrix {
    let unit = Double(1 << bits)
    func number(_ value: Double, _ scale: Double) -> Int16 { Int16(max(-32768, min(32767, (value * unit * scale).rounded()))) }
    var matrix = rw_yuv_matrix()
    matrix.luma_offset = Int32(offset)
    matrix.luma_gain = number(gain, 64)
    matrix.chroma = (
      (number(chroma[0][0], 32), number(chroma[0][1], 32)), (number(chroma[1][0], 32), number(chroma[1][1], 32)),
      (number(chroma[2][0], 32), number(chroma[2][1], 32))
    )
    return matrix
  }
}
