import MediaCore

/// FFmpeg's names of H.273's code points; the number where there is no name.
extension ColorTags.Matrix {
  var name: String {
    switch self {
    case .rgb: "rgb"
    case .bt709: "bt709"
    case .unspecified: "unknown"
    case .bt470bg: "bt470bg"
    case .smpte170m: "smpte170m"
    case .smpte240m: "smpte240m"
    case .bt2020ncl: "bt2020nc"
    default: String(rawValue)
    }
  }
}

extension ColorTags.Range {
  var name: String {
    switch self {
    case .unspecified: "unknown"
    case .limited: "limited"
    case .full: "full"
    }
  }
}

extension ColorTags.Primaries {
  var name: String {
    switch self {
    case .bt709: "bt709"
    case .unspecified: "unknown"
    case .bt470bg: "bt470bg"
    case .smpte170m: "smpte170m"
    case .bt2020: "bt2020"
    case .displayP3: "smpte432"
    default: String(rawValue)
    }
  }
}

extension ColorTags.Transfer {
  var name: String {
    switch self {
    case .bt709: "bt709"
    case .unspecified: "unknown"
    case .smpte170m: "smpte170m"
    case .linear: "linear"
    case .srgb: "iec61966-2-1"
    case .pq: "smpte2084"
    case .hlg: "arib-std-b67"
    default: String(rawValue)
    }
  }
}
