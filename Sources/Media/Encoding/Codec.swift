import FFmpegBridge
public import MediaCore

/// A video codec that can be written, by its public name, and how this package drives it.
public struct VideoCodec: Hashable, Sendable {
  /// `"h264"`, `"hevc"`, `"vp9"`, `"av1"`, `"prores"`, `"ffv1"`, or the FFmpeg name of a hardware encoder.
  public let name: String
  /// FFmpeg's encoder.
  public let encoder: String
  /// `"mp4"`, `"webm"` …: containers that can hold it, the usual one first.
  public let containers: [String]
  public let defaultPixelFormat: String
  /// Quality on the encoder's own scale when nothing is said; nil where there is none.
  public let defaultQuality: Double?
  public let codecTag: String?

  /// The worst quality on the encoder's own scale; the best is 0.
  public var worstQuality: Double { name.hasPrefix("h264") || name.hasPrefix("hevc") ? 51 : 63 }

  /// Whether interlaced pictures can be coded as such.
  public var codesFields: Bool { ["libx264", "prores_ks", "ffv1"].contains(encoder) }

  public static let all: [VideoCodec] = [
    VideoCodec(
      name: "h264", encoder: "libx264", containers: ["mp4", "mov", "mkv"], defaultPixelFormat: "yuv420p", defaultQuality: 20, codecTag: nil),
    VideoCodec(
      name: "hevc", encoder: "libx265", containers: ["mp4", "mov", "mkv"], defaultPixelFormat: "yuv420p", defaultQuality: 24,
      codecTag: "hvc1"),
    VideoCodec(
      name: "vp9", encoder: "libvpx-vp9", containers: ["webm", "mkv", "mp4"], defaultPixelFormat: "yuv420p", defaultQuality: 31,
      codecTag: nil),
    VideoCodec(
      name: "av1", encoder: "libsvtav1", containers: ["mp4", "webm", "mkv"], defaultPixelFormat: "yuv420p", defaultQuality: 32,
      codecTag: nil),
    VideoCodec(
      name: "prores", encoder: "prores_ks", containers: ["mov", "mkv"], defaultPixelFormat: "yuv422p10le", defaultQuality: nil,
      codecTag: nil),
    VideoCodec(
      name: "ffv1", encoder: "ffv1", containers: ["mkv", "mov"], defaultPixelFormat: "yuv420p", defaultQuality: nil, codecTag: nil),
  ]

  /// Whether segments by encoders of their own can follow each other in one stream.
  ///
  /// Intra codecs gain nothing from segments. libx265 does not tell how far its packets are out of order, and SVT-AV1 1.4 hangs when an
  /// encoder is closed that has had no picture: both encode in one go.
  public var joinsSegments: Bool { name == "h264" || name == "vp9" }

  /// Why a bit rate cannot be spread in two passes; nil when it can.
  public var twoPassObstacle: String? {
    switch encoder {
    case "libx264", "libx265", "libvpx-vp9": nil
    case "libsvtav1": "libsvtav1 takes no statistics of a first pass from FFmpeg"
    case "prores_ks", "ffv1": "\(name) codes each picture by itself and has no bit rate to spread"
    default: "\(name) is a hardware encoder, which keeps no statistics"
    }
  }

  /// Whether the encoder counts on a rate of pictures, also where it varies: libsvtav1 refuses the clock's own rate, the others share
  /// bits out by it.
  var needsFrameRate: Bool { ["libsvtav1", "libx265", "libvpx-vp9"].contains(encoder) }

  /// The codec called `name`. Hardware encoders go by FFmpeg's names (`h264_vaapi` …).
  public static func named(_ name: String) throws(MediaError) -> VideoCodec {
    if let codec = all.first(where: { $0.name == name }) { return codec }
    if let codec = try hardware(name) { return codec }
    throw MediaError(
      .usage, "cannot encode to \(name)", reason: "there is no codec of that name",
      advice: "use one of \(all.map(\.name).joined(separator: ", "))")
  }

  /// The makers of hardware encoders that take pictures from memory, by the end of their FFmpeg names.
  private static let hardwareSuffixes = ["_nvenc", "_qsv", "_amf", "_v4l2m2m"]

  /// A hardware encoder that this FFmpeg knows; whether there is a device shows when it is opened. Nil for other names.
  private static func hardware(_ name: String) throws(MediaError) -> VideoCodec? {
    let family = name.split(separator: "_").first.map(String.init) ?? ""
    guard ["h264", "hevc", "av1", "vp9", "vp8"].contains(family), name.contains("_") else { return nil }
    let advice = "use one of \(all.map(\.name).joined(separator: ", "))"
    if ["_vaapi", "_vulkan", "_videotoolbox", "_mf", "_cuvid"].contains(where: { name.hasSuffix($0) }) {
      throw MediaError(
        .unavailable, "cannot encode with \(name)", reason: "it takes pictures in the memory of its device only", advice: advice)
    }
    guard let suffix = hardwareSuffixes.first(where: { name.hasSuffix($0) }) else { return nil }
    guard Capabilities.hasEncoder(name), let base = all.first(where: { $0.name == family }) else {
      throw MediaError(
        .unavailable, "cannot encode with \(name)", reason: "this FFmpeg has no encoder of that name", advice: advice)
    }
    return VideoCodec(
      name: name, encoder: name, containers: base.containers, defaultPixelFormat: suffix == "_qsv" ? "nv12" : "yuv420p",
      defaultQuality: nil, codecTag: base.codecTag)
  }

  /// Whether it is a hardware encoder.
  public var isHardware: Bool { VideoCodec.hardwareSuffixes.contains { encoder.hasSuffix($0) } }

  /// The encoder's options for a speed preset and a quality.
  ///
  /// - Parameters:
  ///   - speed: x264's preset names `ultrafast`…`placebo`, mapped to the other encoders' scales.
  ///   - quality: CRF on the encoder's scale; nil where a bit rate rules.
  func options(speed: String, quality: Double?, maximumBitRate: Int64?) -> [String: String] {
    var options: [String: String] = [:]
    let level = VideoCodec.speeds.firstIndex(of: speed) ?? 5
    switch encoder {
    case "libx264":
      options["preset"] = speed
      if let quality { options["crf"] = VideoCodec.text(quality) }
      if let rate = maximumBitRate {
        options["maxrate"] = String(rate)
        options["bufsize"] = String(rate * 2)
      }
    case "libx265":
      options["preset"] = speed
      var parameters = ["log-level=error"]
      if let quality { options["crf"] = VideoCodec.text(quality) }
      if let rate = maximumBitRate { parameters += ["vbv-maxrate=\(rate / 1000)", "vbv-bufsize=\(rate / 500)"] }
      options["x265-params"] = parameters.joined(separator: ":")
    case "libvpx-vp9":
      options["deadline"] = "good"
      options["cpu-used"] = String(max(0, min(5, 5 - level / 2)))
      options["row-mt"] = "1"
      if let quality { options["crf"] = VideoCodec.text(quality) }
    case "libsvtav1":
      options["preset"] = String(max(2, min(12, 12 - level)))
      if let quality { options["crf"] = VideoCodec.text(quality) }
    case "prores_ks":
      options["profile"] = "hq"
      options["vendor"] = "apl0"
    case "ffv1":
      options["level"] = "3"
      options["slicecrc"] = "1"
    case _ where encoder.hasSuffix("_nvenc"):
      if let quality {
        options["rc"] = "vbr"
        options["cq"] = VideoCodec.text(quality)
      }
    case _ where encoder.hasSuffix("_qsv"):
      if let quality { options["global_quality"] = VideoCodec.text(quality) }
    default: break
    }
    return options
  }

  /// Adds what the encoder must be told to write the light of HDR pictures into its stream; the others leave it to the container.
  func state(_ hdr: HDRMetadata, in options: inout [String: String]) {
    var parameters: [String] = []
    if let display = hdr.display {
      // The encoders want green first; x264 and x265 in units of 0.00002 and 0.0001 cd/m², SVT-AV1 in plain numbers.
      let isPlain = encoder == "libsvtav1"
      func pair(_ x: Double, _ y: Double, _ unit: Double) -> String {
        isPlain ? "(\(x),\(y))" : "(\(Int((x * unit).rounded())),\(Int((y * unit).rounded())))"
      }
      func point(_ name: String, _ point: HDRMetadata.Chromaticity) -> String { name + pair(point.x, point.y, 50_000) }
      let points = [("G", display.green), ("B", display.blue), ("R", display.red), ("WP", display.white)]
      parameters.append(
        (encoder == "libx265" ? "master-display=" : "mastering-display=")
          + points.map { point($0.0, $0.1) }.joined() + "L" + pair(display.maximumLuminance, display.minimumLuminance, 10_000))
    }
    if let light = hdr.contentLight {
      let name = ["libx264": "cll", "libx265": "max-cll", "libsvtav1": "content-light"][encoder]
      if let name { parameters.append("\(name)=\(light.maximum),\(light.maximumFrameAverage)") }
    }
    guard let key = ["libx264": "x264-params", "libx265": "x265-params", "libsvtav1": "svtav1-params"][encoder] else { return }
    options[key] = ([options[key]].compactMap { $0 } + parameters).joined(separator: ":")
  }

  /// x264's presets, fastest first.
  public static let speeds = [
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
  ]

  private static func text(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(value)
  }
}
