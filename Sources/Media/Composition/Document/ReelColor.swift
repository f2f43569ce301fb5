/// A colour of a document: sRGB with straight alpha, 8 bits each.
public struct ReelColor: Hashable, Sendable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8
  public var alpha: UInt8

  public init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
    self.red = red
    self.green = green
    self.blue = blue
    self.alpha = alpha
  }

  public static let black = ReelColor(red: 0, green: 0, blue: 0)
  public static let white = ReelColor(red: 255, green: 255, blue: 255)

  /// The names that documents may use, as in CSS.
  public static let names: [String: ReelColor] = [
    "black": .black, "white": .white, "transparent": ReelColor(red: 0, green: 0, blue: 0, alpha: 0),
    "red": ReelColor(red: 255, green: 0, blue: 0), "lime": ReelColor(red: 0, green: 255, blue: 0),
    "green": ReelColor(red: 0, green: 128, blue: 0), "blue": ReelColor(red: 0, green: 0, blue: 255),
    "yellow": ReelColor(red: 255, green: 255, blue: 0), "cyan": ReelColor(red: 0, green: 255, blue: 255),
    "magenta": ReelColor(red: 255, green: 0, blue: 255), "orange": ReelColor(red: 255, green: 165, blue: 0),
    "purple": ReelColor(red: 128, green: 0, blue: 128), "pink": ReelColor(red: 255, green: 192, blue: 203),
    "gray": ReelColor(red: 128, green: 128, blue: 128), "grey": ReelColor(red: 128, green: 128, blue: 128),
    "silver": ReelColor(red: 192, green: 192, blue: 192), "gold": ReelColor(red: 255, green: 215, blue: 0),
    "navy": ReelColor(red: 0, green: 0, blue: 128), "teal": ReelColor(red: 0, green: 128, blue: 128),
  ]

  /// Reads `#rgb`, `#rrggbb`, `#rrggbbaa` and the names above; nil for anything else.
  public init?(_ text: String) {
    if let named = ReelColor.names[text.lowercased()] {
      self = named
      return
    }
    let digits = text.utf8.dropFirst().map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard text.hasPrefix("#"), !digits.contains(nil) else { return nil }
    let values = digits.map { UInt8($0 ?? 0) }
    switch values.count {
    case 3: self.init(red: values[0] * 17, green: values[1] * 17, blue: values[2] * 17)
    case 6, 8:
      let bytes = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
      self.init(red: bytes[0], green: bytes[1], blue: bytes[2], alpha: bytes.count == 4 ? bytes[3] : 255)
    default: return nil
    }
  }
}

extension ReelColor: CustomStringConvertible {
  /// `#rrggbb`, with alpha when it is not opaque.
  public var description: String {
    "#"
      + (alpha == 255 ? [red, green, blue] : [red, green, blue, alpha])
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
