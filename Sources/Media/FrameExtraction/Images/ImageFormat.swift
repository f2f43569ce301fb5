/// How a picture is written.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable, Codable {
  case jpg, png, webp, ppm

  /// By a file name's extension; nil for an unknown one.
  public init?(fileName: String) {
    guard let dot = fileName.lastIndex(of: ".") else { return nil }
    let name = fileName[fileName.index(after: dot)...].lowercased()
    self.init(rawValue: name == "jpeg" ? "jpg" : name)
  }

  /// What pictures are converted to for it.
  public var target: PictureConverter.Target {
    switch self {
    case .jpg: .jfif
    case .ppm: .rgb
    case .png, .webp: .rgbKeepingAlpha
    }
  }

  /// 1...100; JPEG 85, WebP 80; the others are lossless.
  public var defaultQuality: Int { self == .webp ? 80 : 85 }
}
