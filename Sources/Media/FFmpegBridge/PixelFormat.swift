import CFFmpeg

/// How pixels lie in memory, by FFmpeg's names (`"yuv420p"`, `"p010le"`, `"rgba"` …).
public struct PixelFormat: Hashable, Sendable {
  let raw: AVPixelFormat

  init(_ raw: AVPixelFormat) { self.raw = raw }

  /// The format of that name; nil when FFmpeg does not know it.
  public init?(name: String) {
    let raw = av_get_pix_fmt(name)
    guard raw != AV_PIX_FMT_NONE else { return nil }
    self.raw = raw
  }

  public static let yuv420p = PixelFormat(AV_PIX_FMT_YUV420P)
  public static let yuv422p = PixelFormat(AV_PIX_FMT_YUV422P)
  public static let yuv444p = PixelFormat(AV_PIX_FMT_YUV444P)
  public static let yuv420p10 = PixelFormat(AV_PIX_FMT_YUV420P10LE)
  public static let gray8 = PixelFormat(AV_PIX_FMT_GRAY8)
  public static let rgb24 = PixelFormat(AV_PIX_FMT_RGB24)
  public static let rgba = PixelFormat(AV_PIX_FMT_RGBA)

  public var name: String { av_get_pix_fmt_name(raw).map { String(cString: $0) } ?? "none" }

  private var descriptor: UnsafePointer<AVPixFmtDescriptor>? { av_pix_fmt_desc_get(raw) }
  private func has(_ flag: Int32) -> Bool { (descriptor?.pointee.flags ?? 0) & UInt64(flag) != 0 }

  public var isKnown: Bool { raw != AV_PIX_FMT_NONE && descriptor != nil }
  public var isRGB: Bool { has(AV_PIX_FMT_FLAG_RGB) || isPaletted }
  public var isPaletted: Bool { has(AV_PIX_FMT_FLAG_PAL) }
  public var hasAlpha: Bool { has(AV_PIX_FMT_FLAG_ALPHA) || isPaletted }
  public var isPlanar: Bool { has(AV_PIX_FMT_FLAG_PLANAR) }
  public var isHardware: Bool { has(AV_PIX_FMT_FLAG_HWACCEL) }
  public var isGray: Bool { descriptor?.pointee.nb_components ?? 0 <= 2 && !isRGB }
  /// Bits of one component, 8, 10, 12 …
  public var bitDepth: Int { Int(descriptor?.pointee.comp.0.depth ?? 0) }
  /// Bytes of one component in memory.
  public var bytesPerComponent: Int { (bitDepth + 7) / 8 }
  public var planeCount: Int { max(0, Int(av_pix_fmt_count_planes(raw))) }
  /// Horizontal and vertical chroma subsampling as powers of two: (1, 1) for 4:2:0.
  public var chromaShift: (x: Int, y: Int) {
    (Int(descriptor?.pointee.log2_chroma_w ?? 0), Int(descriptor?.pointee.log2_chroma_h ?? 0))
  }
  /// Whether the format is one of JPEG's (`yuvj…`), which are full-range by definition.
  public var isFullRangeByName: Bool { name.hasPrefix("yuvj") }

  /// The same layout without the range in its name: `yuvj420p` → `yuv420p`.
  public var withoutRange: PixelFormat {
    isFullRangeByName ? PixelFormat(name: "yuv" + name.dropFirst(4)) ?? self : self
  }
}
