public import MediaCore

/// What the document says about its encoding: a preset's name and fields that replace the preset's.
public struct OutputSettings: Sendable {
  /// Default tiktok.
  public var preset: String?
  public var codec: String?
  /// The encoder's own speed setting: `veryfast`, `medium` …
  public var speed: String?
  public var crf: Rational?
  /// Bits a second.
  public var bitrate: Int64?
  /// The cap, bits a second.
  public var maxBitrate: Int64?
  public var keyframeInterval: MediaTime?
  public var profile: String?
  public var pixelFormat: String?
  public var audioCodec: String?
  public var audioBitrate: Int64?
  public var twoPass: Bool?
  public var container: String?
  /// Fragmented MP4. Default false.
  public var fragmented: Bool?
  public var place: DocumentPlace

  public init(preset: String? = nil, place: DocumentPlace = .none) {
    self.preset = preset
    self.place = place
  }
}

/// The document's wish for an invisible watermark; the key comes from outside.
public struct WatermarkRequest: Sendable {
  public var id: UInt64
  /// Peak signal-to-noise ratio of the marked picture in dB; nil: the default of the watermark.
  public var psnr: Rational?
  public var place: DocumentPlace

  public init(id: UInt64, psnr: Rational? = nil, place: DocumentPlace = .none) {
    self.id = id
    self.psnr = psnr
    self.place = place
  }

  /// Reads 16 hexadecimal digits, or a decimal number of fewer digits or up to 20; nil for anything else.
  public static func id(_ text: String) -> UInt64? {
    text.utf8.count == 16 ? UInt64(text, radix: 16) : UInt64(text)
  }
}
