public import MediaCore

/// Drawn text: a picture with straight alpha and where its top left corner lies on the canvas.
public struct TextBitmap: Sendable {
  public var x: Int
  public var y: Int
  public var size: FrameSize
  /// Red, green, blue, alpha, 8 bits each, straight; `size.width × 4` bytes a row.
  public var rgba: [UInt8]
}

/// A font file in memory, for processes that cannot open files.
public struct FontFile: Sendable {
  public var name: String
  public var bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
