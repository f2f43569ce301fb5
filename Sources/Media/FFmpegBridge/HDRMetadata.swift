import CFFmpeg

/// What HDR10 states of a whole stream: the display it was mastered on (SMPTE ST 2086) and its light levels (CTA-861.3).
public struct HDRMetadata: Hashable, Sendable {
  /// CIE 1931 x and y.
  public struct Chromaticity: Hashable, Sendable {
    public var x: Double
    public var y: Double
  }

  /// The mastering display.
  public struct Display: Hashable, Sendable {
    public var red: Chromaticity
    public var green: Chromaticity
    public var blue: Chromaticity
    public var white: Chromaticity
    /// cd/m².
    public var minimumLuminance: Double
    public var maximumLuminance: Double
  }

  /// The brightest sample and the brightest frame average, in cd/m²; 0 for unknown.
  public struct ContentLight: Hashable, Sendable {
    public var maximum: Int
    public var maximumFrameAverage: Int
  }

  public var display: Display?
  public var contentLight: ContentLight?

  /// Nil when there is neither.
  private init?(display: [UInt8]?, light: [UInt8]?) {
    self.display = display.flatMap { bytes -> Display? in
      guard bytes.count >= MemoryLayout<AVMasteringDisplayMetadata>.size else { return nil }
      let raw = bytes.withUnsafeBytes { $0.loadUnaligned(as: AVMasteringDisplayMetadata.self) }
      return raw.has_primaries != 0 && raw.has_luminance != 0 ? Display(raw) : nil
    }
    contentLight = light.flatMap { bytes -> ContentLight? in
      guard bytes.count >= MemoryLayout<AVContentLightMetadata>.size else { return nil }
      let raw = bytes.withUnsafeBytes { $0.loadUnaligned(as: AVContentLightMetadata.self) }
      return ContentLight(maximum: Int(raw.MaxCLL), maximumFrameAverage: Int(raw.MaxFALL))
    }
    if self.display == nil && contentLight == nil { return nil }
  }

  /// For a muxer: side data by FFmpeg's packet types.
  var sideData: [(type: UInt32, bytes: [UInt8])] {
    var found: [(type: UInt32, bytes: [UInt8])] = []
    if let display { found.append((AV_PKT_DATA_MASTERING_DISPLAY_METADATA.rawValue, HDRMetadata.bytes(of: display.raw))) }
    if let contentLight {
      let raw = AVContentLightMetadata(MaxCLL: UInt32(contentLight.maximum), MaxFALL: UInt32(contentLight.maximumFrameAverage))
      found.append((AV_PKT_DATA_CONTENT_LIGHT_LEVEL.rawValue, HDRMetadata.bytes(of: raw)))
    }
    return found
  }

  private static func bytes<Value>(of value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  fileprivate static func frameData(_ frame: UnsafeMutablePointer<AVFrame>, _ type: AVFrameSideDataType) -> [UInt8]? {
    guard let side = av_frame_get_side_data(frame, type), let data = side.pointee.data else { return nil }
    return Array(UnsafeBufferPointer(start: data, count: Int(side.pointee.size)))
  }

  fileprivate init?(of frame: UnsafeMutablePointer<AVFrame>) {
    self.init(
      display: HDRMetadata.frameData(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
      light: HDRMetadata.frameData(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL))
  }

  fileprivate init?(container: [(type: UInt32, bytes: [UInt8])]) {
    self.init(
      display: container.first { $0.type == AV_PKT_DATA_MASTERING_DISPLAY_METADATA.rawValue }?.bytes,
      light: container.first { $0.type == AV_PKT_DATA_CONTENT_LIGHT_LEVEL.rawValue }?.bytes)
  }
}

extension HDRMetadata.Display {
  init(_ raw: AVMasteringDisplayMetadata) {
    func value(_ number: AVRational) -> Double { number.den == 0 ? 0 : Double(number.num) / Double(number.den) }
    func point(_ pair: (AVRational, AVRational)) -> HDRMetadata.Chromaticity {
      HDRMetadata.Chromaticity(x: value(pair.0), y: value(pair.1))
    }
    red = point(raw.display_primaries.0)
    green = point(raw.display_primaries.1)
    blue = point(raw.display_primaries.2)
    white = point(raw.white_point)
    minimumLuminance = value(raw.min_luminance)
    maximumLuminance = value(raw.max_luminance)
  }

  /// In the units that the bit streams use: 0.00002, and 0.0001 cd/m².
  var raw: AVMasteringDisplayMetadata {
    func number(_ value: Double, _ unit: Int32) -> AVRational { AVRational(num: Int32((value * Double(unit)).rounded()), den: unit) }
    func pair(_ point: HDRMetadata.Chromaticity) -> (AVRational, AVRational) { (number(point.x, 50_000), number(point.y, 50_000)) }
    return AVMasteringDisplayMetadata(
      display_primaries: (pair(red), pair(green), pair(blue)), white_point: pair(white), min_luminance: number(minimumLuminance, 10_000),
      max_luminance: number(maximumLuminance, 10_000), has_primaries: 1, has_luminance: 1)
  }
}

extension VideoFrame {
  /// What the bit stream says of the stream's light; nil where it says nothing.
  public var hdrMetadata: HDRMetadata? { HDRMetadata(of: raw) }
}

extension StreamInfo {
  /// What the container says of the stream's light; nil where it says nothing.
  public var hdrMetadata: HDRMetadata? { HDRMetadata(container: sideData) }

  /// Whether the pictures carry Dolby Vision's dynamic metadata beside a stream that plays without it.
  public var hasDolbyVision: Bool { sideData.contains { $0.type == AV_PKT_DATA_DOVI_CONF.rawValue } }
}
