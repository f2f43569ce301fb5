internal import CKernels
public import MediaCore

/// A colour in the code values of a video format: what is written into its planes.
public struct CodeColor: Hashable, Sendable {
  public var y: Int32
  public var cb: Int32
  public var cr: Int32

  public init(y: Int32, cb: Int32, cr: Int32) {
    self.y = y
    self.cb = cb
    self.cr = cr
  }

  /// The colour of non-linear R'G'B' (0…255) in `tags`, which must be resolved, at `bits` bits a sample.
  public init(red: UInt8, green: UInt8, blue: UInt8, tags: ColorTags, bits: Int = 8) {
    let matrix = rw_color_matrix(tags: tags, bits: bits)
    let rgb = (Float(red), Float(green), Float(blue))
    func component(_ row: (Float, Float, Float), _ offset: Float) -> Int32 {
      Int32((row.0 * rgb.0 + row.1 * rgb.1 + row.2 * rgb.2 + offset).rounded())
    }
    let top = Int32(1 << bits) - 1
    y = min(max(component(matrix.row.0, matrix.offset.0), 0), top)
    cb = min(max(component(matrix.row.1, matrix.offset.1), 0), top)
    cr = min(max(component(matrix.row.2, matrix.offset.2), 0), top)
  }

  /// Black in limited or full range.
  public static func black(_ tags: ColorTags, bits: Int = 8) -> CodeColor { CodeColor(red: 0, green: 0, blue: 0, tags: tags, bits: bits) }
}

extension rw_color_matrix {
  /// R'G'B' in 0…255 to code values, by the luma coefficients of ITU-T H.273 and the ranges of its equations 20 to 31.
  init(tags: ColorTags, bits: Int) {
    let (kr, kb): (Double, Double) =
      switch tags.matrix {
      case .bt709: (0.2126, 0.0722)
      case .bt2020ncl: (0.2627, 0.0593)
      case .smpte240m: (0.212, 0.087)
      default: (0.299, 0.114)
      }
    let kg = 1 - kr - kb
    let scale = Double(1 << (bits - 8))
    let full = tags.range == .full
    let top = Double(1 << bits) - 1
    let lumaGain = (full ? top : 219 * scale) / 255
    let chromaGain = (full ? top : 224 * scale) / 255
    let luma = (Float(kr * lumaGain), Float(kg * lumaGain), Float(kb * lumaGain))
    let (du, dv) = (2 * (1 - kb), 2 * (1 - kr))
    let u = (Float(-kr / du * chromaGain), Float(-kg / du * chromaGain), Float((1 - kb) / du * chromaGain))
    let v = (Float((1 - kr) / dv * chromaGain), Float(-kg / dv * chromaGain), Float(-kb / dv * chromaGain))
    let middle = Float(1 << (bits - 1))
    self.init(row: (luma, u, v), offset: (full ? 0 : Float(16 * scale), middle, middle))
  }
}
