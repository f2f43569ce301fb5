public import MediaCore

/// A point of the canvas (and the same point of what is placed) that a layer is fixed to.
public enum Anchor: String, CaseIterable, Sendable {
  case center, top, bottom, left, right
  case topLeft = "top-left"
  case topRight = "top-right"
  case bottomLeft = "bottom-left"
  case bottomRight = "bottom-right"

  /// The point as fractions of width and height: 0 left or top, 1 right or bottom.
  public var point: (x: Rational, y: Rational) {
    let half = Rational(1, 2)
    let one = Rational(1)
    return switch self {
    case .center: (half, half)
    case .top: (half, .zero)
    case .bottom: (half, one)
    case .left: (.zero, half)
    case .right: (one, half)
    case .topLeft: (.zero, .zero)
    case .topRight: (one, .zero)
    case .bottomLeft: (.zero, one)
    case .bottomRight: (one, one)
    }
  }
}

/// A length on the canvas.
public enum Length: Hashable, Sendable {
  case pixels(Rational)
  /// A part of the canvas side in question: `"18%"` is 18/100.
  case fraction(Rational)

  /// Whole pixels on a side of `side` pixels, at least 1 for a positive length.
  public func pixels(of side: Int) -> Int {
    let exact: Rational =
      switch self {
      case .pixels(let pixels): pixels
      case .fraction(let part): part * Rational(Int64(side))
      }
    return exact.isPositive ? max(1, Int(exact.rounded)) : Int(exact.rounded)
  }
}

/// How a picture of another shape fills the canvas.
public enum Fit: String, CaseIterable, Sendable {
  /// Fills the canvas and crops what hangs over. The default.
  case cover
  /// Shows the whole picture over the background colour.
  case contain
  /// Shows the whole picture over an enlarged, blurred copy of itself.
  case blurFill = "blur-fill"
}

/// A slow move over a still or a clip: the window shown at the start and at the end.
public struct KenBurns: Hashable, Sendable {
  /// A window: its centre as fractions of the fitted picture, and how much it enlarges.
  public struct Frame: Hashable, Sendable {
    /// At least 1: 1 shows the whole fitted picture. Default 1, at most 10.
    public var zoom: Rational
    /// Default 1/2. The window is kept inside the picture.
    public var x: Rational
    public var y: Rational

    public init(zoom: Rational = Rational(1), x: Rational = Rational(1, 2), y: Rational = Rational(1, 2)) {
      self.zoom = zoom
      self.x = x
      self.y = y
    }
  }

  public var from: Frame
  public var to: Frame
  /// Default linear: a move that neither starts nor stops within the clip.
  public var easing: Easing

  public init(from: Frame = Frame(), to: Frame = Frame(), easing: Easing = .linear) {
    self.from = from
    self.to = to
    self.easing = easing
  }
}
