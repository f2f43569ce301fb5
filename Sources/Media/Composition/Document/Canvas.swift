public import MediaCore

/// The picture that a document composes.
public struct Canvas: Hashable, Sendable {
  /// Even, 16...16384.
  public var width: Int
  public var height: Int
  /// Frames a second, at most 240.
  public var frameRate: Rational
  /// Behind everything. Default black.
  public var background: ReelColor

  public init(width: Int, height: Int, frameRate: Rational, background: ReelColor = .black) {
    self.width = width
    self.height = height
    self.frameRate = frameRate
    self.background = background
  }

  public var size: FrameSize { FrameSize(width, height) }

  /// The canvas of a document that does not say: 1080x1920 at 30 frames a second, or the usual shape of the preset.
  public static func standard(preset: String?) -> Canvas {
    let (width, height) =
      switch preset {
      case "youtube", "master": (1920, 1080)
      case "feed": (1080, 1350)
      case "square": (1080, 1080)
      default: (1080, 1920)
      }
    return Canvas(width: width, height: height, frameRate: Rational(30))
  }

  /// Reads `30`, `30000/1001`, and the broadcast rates by their usual short names (23.976, 29.97, 59.94 …), which mean
  /// n × 1000/1001. Other decimal fractions are taken exactly. nil when it is not a rate in 1...240.
  static func frameRate(_ text: String) -> Rational? {
    let broadcast: [String: Int64] = ["23.976": 24, "23.98": 24, "29.97": 30, "47.95": 48, "47.952": 48, "59.94": 60, "119.88": 120]
    if let nominal = broadcast[text] { return Rational(nominal * 1000, 1001) }
    guard let rate = Rational(text), rate >= Rational(1), rate <= Rational(240), rate.denominator <= 1_000_000 else { return nil }
    return rate
  }
}
