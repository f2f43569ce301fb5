/// How stored pixels must be turned to stand upright: first mirrored left to right (when `mirrored`), then
/// rotated clockwise by `quarterTurns` × 90°. The eight values are those of EXIF's Orientation tag.
public struct Orientation: Hashable, Sendable {
  /// Clockwise quarter turns, 0...3.
  public let quarterTurns: Int
  public let mirrored: Bool

  public init(quarterTurns: Int, mirrored: Bool = false) {
    self.quarterTurns = ((quarterTurns % 4) + 4) % 4
    self.mirrored = mirrored
  }

  public static let upright = Orientation(quarterTurns: 0)

  public var isUpright: Bool { quarterTurns == 0 && !mirrored }
  public var swapsSides: Bool { quarterTurns % 2 == 1 }
  public var clockwiseDegrees: Int { quarterTurns * 90 }

  /// EXIF 2.32, tag 0x0112, values 1...8; nil for anything else.
  public init?(exif value: Int) {
    switch value {
    case 1: self.init(quarterTurns: 0)
    case 2: self.init(quarterTurns: 0, mirrored: true)
    case 3: self.init(quarterTurns: 2)
    case 4: self.init(quarterTurns: 2, mirrored: true)
    case 5: self.init(quarterTurns: 3, mirrored: true)
    case 6: self.init(quarterTurns: 1)
    case 7: self.init(quarterTurns: 1, mirrored: true)
    case 8: self.init(quarterTurns: 3)
    default: return nil
    }
  }
}
