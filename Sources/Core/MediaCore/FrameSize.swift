/// Width and height in pixels.
public struct FrameSize: Hashable, Sendable, Codable {
  public var width: Int
  public var height: Int

  public init(_ width: Int, _ height: Int) {
    self.width = width
    self.height = height
  }

  public var pixels: Int64 { Int64(width) * Int64(height) }
  public var transposed: FrameSize { FrameSize(height, width) }
  public var isEven: Bool { width % 2 == 0 && height % 2 == 0 }
}

extension FrameSize: CustomStringConvertible {
  /// `"1080x1920"`.
  public var description: String { "\(width)x\(height)" }
}
