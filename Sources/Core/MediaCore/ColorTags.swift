/// How the numbers in a picture map to light: the code points of ITU-T H.273 (CICP), which FFmpeg, ISO BMFF
/// and Matroska share. Unknown code points keep their number.
public struct ColorTags: Hashable, Sendable {
  public var matrix: Matrix
  public var range: Range
  public var primaries: Primaries
  public var transfer: Transfer
  public var chromaLocation: ChromaLocation

  public init(
    matrix: Matrix = .unspecified, range: Range = .unspecified, primaries: Primaries = .unspecified,
    transfer: Transfer = .unspecified, chromaLocation: ChromaLocation = .unspecified
  ) {
    self.matrix = matrix
    self.range = range
    self.primaries = primaries
    self.transfer = transfer
    self.chromaLocation = chromaLocation
  }

  /// Limited-range BT.709, left-sited chroma: what every output is converted to unless told otherwise.
  public static let bt709 = ColorTags(
    matrix: .bt709, range: .limited, primaries: .bt709, transfer: .bt709, chromaLocation: .left)

  /// MatrixCoefficients (H.273 table 4).
  public struct Matrix: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let rgb = Matrix(rawValue: 0)
    public static let bt709 = Matrix(rawValue: 1)
    public static let unspecified = Matrix(rawValue: 2)
    public static let bt470bg = Matrix(rawValue: 5)
    public static let smpte170m = Matrix(rawValue: 6)
    public static let smpte240m = Matrix(rawValue: 7)
    public static let bt2020ncl = Matrix(rawValue: 9)
  }

  /// FFmpeg's `AVColorRange`: 0 unspecified, 1 limited ("tv"), 2 full ("pc").
  public enum Range: Int32, Hashable, Sendable {
    case unspecified = 0
    case limited = 1
    case full = 2
  }

  /// ColourPrimaries (H.273 table 2).
  public struct Primaries: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let bt709 = Primaries(rawValue: 1)
    public static let unspecified = Primaries(rawValue: 2)
    public static let bt470bg = Primaries(rawValue: 5)
    public static let smpte170m = Primaries(rawValue: 6)
    public static let bt2020 = Primaries(rawValue: 9)
    public static let displayP3 = Primaries(rawValue: 12)
  }

  /// TransferCharacteristics (H.273 table 3).
  public struct Transfer: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let bt709 = Transfer(rawValue: 1)
    public static let unspecified = Transfer(rawValue: 2)
    public static let smpte170m = Transfer(rawValue: 6)
    public static let linear = Transfer(rawValue: 8)
    public static let srgb = Transfer(rawValue: 13)
    public static let pq = Transfer(rawValue: 16)
    public static let hlg = Transfer(rawValue: 18)
  }

  /// FFmpeg's `AVChromaLocation`.
  public enum ChromaLocation: Int32, Hashable, Sendable {
    case unspecified = 0
    case left = 1
    case center = 2
    case topLeft = 3
    case top = 4
    case bottomLeft = 5
    case bottom = 6
  }

  /// Whether the transfer function is one of high dynamic range (PQ or HLG).
  public var isHDR: Bool { transfer == .pq || transfer == .hlg }

  /// The tags with every unspecified value replaced by what players assume: full range for RGB and
  /// JPEG-style formats, BT.601 below 720 lines and BT.709 from there on.
  public func resolved(height: Int, isRGB: Bool, isFullRangeFormat: Bool = false) -> ColorTags {
    var tags = self
    if isRGB {
      tags.matrix = .rgb
    } else if tags.matrix == .unspecified || tags.matrix == .rgb {
      tags.matrix = primaries == .bt2020 ? .bt2020ncl : height >= 720 ? .bt709 : .smpte170m
    }
    if tags.range == .unspecified { tags.range = isRGB || isFullRangeFormat ? .full : .limited }
    if tags.primaries == .unspecified {
      switch tags.matrix {
      case .bt2020ncl: tags.primaries = .bt2020
      case .smpte170m: tags.primaries = .smpte170m
      case .bt470bg: tags.primaries = .bt470bg
      default: tags.primaries = .bt709
      }
    }
    if tags.transfer == .unspecified { tags.transfer = isRGB ? .srgb : .bt709 }
    if tags.chromaLocation == .unspecified && !isRGB { tags.chromaLocation = .left }
    return tags
  }
}
