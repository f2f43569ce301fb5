internal import CFFmpeg

/// What the FFmpeg libraries of this machine can do.
public enum Capabilities {
  /// Name and version of each FFmpeg library loaded.
  public static var libraries: [(name: String, version: String)] {
    [
      ("libavutil", avutil_version()), ("libavcodec", avcodec_version()), ("libavformat", avformat_version()),
      ("libavfilter", avfilter_version()), ("libswscale", swscale_version()), ("libswresample", swresample_version()),
    ].map { name, number in (name, "\(number >> 16).\(number >> 8 & 255).\(number & 255)") }
  }

  /// Whether an encoder of that FFmpeg name is compiled in: `"libx264"`. Says nothing about hardware being present.
  public static func hasEncoder(_ name: String) -> Bool { avcodec_find_encoder_by_name(name) != nil }

  /// Whether a filter of that FFmpeg name is compiled in: `"zscale"`.
  public static func hasFilter(_ name: String) -> Bool { avfilter_get_by_name(name) != nil }
}
