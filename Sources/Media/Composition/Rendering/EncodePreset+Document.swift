public import Encoding
public import MediaCore

extension EncodePreset {
  /// The preset that a document asks for, with the fields that it sets itself.
  ///
  /// - Parameter name: overrides the document's preset. The default is tiktok.
  public init(for output: OutputSettings, named name: String? = nil) throws(MediaError) {
    var preset = try EncodePreset.named(name ?? output.preset ?? "tiktok")
    // The canvas decides the size, except for previews.
    if !preset.isAnimation { preset.bounds = nil }
    if let codec = output.codec, codec != preset.codec {
      preset.codec = codec
      preset.quality = nil
      preset.profile = nil
      preset.container = try VideoCodec.named(codec).containers[0]
    }
    if let speed = output.speed {
      guard VideoCodec.speeds.contains(speed) else {
        throw output.place.error("there is no speed \(speed)", advice: "use one of \(VideoCodec.speeds.joined(separator: ", "))")
      }
      preset.speed = speed
    }
    if let crf = output.crf { preset.quality = crf.doubleValue }
    if let rate = output.bitrate { preset.bitRate = rate }
    if let cap = output.maxBitrate { preset.maximumBitRate = cap }
    if let interval = output.keyframeInterval { preset.keyframeSeconds = max(1, interval.seconds.rounded) }
    if let profile = output.profile { preset.profile = profile }
    if let format = output.pixelFormat, format != "yuv420p" {
      throw RenderSupport.missing(output.place, "pixel formats other than yuv420p")
    }
    if output.twoPass == true {
      guard preset.bitRate != nil, !preset.isAnimation else {
        throw output.place.error(
          "\"twoPass\" spreads a bit rate, and there is none", advice: "give \"bitrate\", or leave out \"twoPass\"")
      }
      preset.isTwoPass = true
    }
    if let fragmented = output.fragmented { preset.isFragmented = fragmented }
    if let codec = output.audioCodec { preset.audioEncoder = codec }
    if let rate = output.audioBitrate { preset.audioBitRate = rate }
    if let container = output.container { preset.container = container }
    self = preset
  }
}
