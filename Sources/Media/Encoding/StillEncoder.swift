public import FFmpegBridge
public import MediaCore

/// Single pictures as image files.
public enum StillEncoder {
  /// `frame` as an 8-bit RGB PNG file.
  public static func png(_ frame: VideoFrame, environment: MediaEnvironment) throws(MediaError) -> [UInt8] {
    var scaler = try Scaler(size: frame.size, format: .rgb24, accurate: true)
    let rgb = try scaler.scale(frame)
    var encoder = try Encoder(
      video: Encoder.VideoSettings(
        encoder: "png", size: rgb.size, format: .rgb24, color: rgb.color, timeBase: Rational(1, 25), threads: 1, globalHeader: false),
      environment: environment)
    try encoder.send(rgb)
    try encoder.send(nil)
    guard let packet = try encoder.receive() else {
      throw MediaError(.bug, "cannot write a PNG", reason: "the encoder gave nothing")
    }
    return packet.withBytes { bytes in bytes.withUnsafeBufferPointer { Array($0) } }
  }
}
