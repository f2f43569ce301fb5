public import MediaCore

/// One piece of the sequence.
public struct Clip: Sendable {
  public enum Content: Sendable {
    case media(MediaReference)
    case image(MediaReference)
    case color(ReelColor)
  }

  public var content: Content
  /// The part of the source to use, half-open, in source time; frame positions (`45f`) count source frames.
  public var trimStart: TimePosition
  /// nil: to the end of the source.
  public var trimEnd: TimePosition?
  /// The length on the output timeline where the document gives it (always for images and colours). Cuts the source like a trim.
  public var duration: MediaTime?
  /// Source seconds that pass in one output second; sound keeps its pitch. 0.1...10, default 1.
  public var speed: Rational
  /// Default cover.
  public var fit: Fit
  /// Behind the picture with fit contain. Default: the canvas background.
  public var background: ReelColor?
  public var kenBurns: KenBurns?
  /// A libavfilter graph with one video input and one output, applied after fitting.
  public var filter: String?
  /// Decibels added to the clip's own sound, on top of `audio.clips`. nil: muted. Default 0.
  public var volume: Rational?
  public var place: DocumentPlace

  public init(
    _ content: Content, trimStart: TimePosition = .time(.zero), trimEnd: TimePosition? = nil, duration: MediaTime? = nil,
    speed: Rational = Rational(1), fit: Fit = .cover, background: ReelColor? = nil, kenBurns: KenBurns? = nil, filter: String? = nil,
    volume: Rational? = .zero, place: DocumentPlace = .none
  ) {
    self.content = content
    self.trimStart = trimStart
    self.trimEnd = trimEnd
    self.duration = duration
    self.speed = speed
    self.fit = fit
    self.background = background
    self.kenBurns = kenBurns
    self.filter = filter
    self.volume = volume
    self.place = place
  }

  /// The file, when there is one.
  public var reference: MediaReference? {
    switch content {
    case .media(let reference), .image(let reference): reference
    case .color: nil
    }
  }

  /// The length on the output timeline as far as the document alone tells; nil when the source must be asked.
  public var statedDuration: MediaTime? {
    if let duration { return duration }
    guard case .time(let start) = trimStart, case .time(let end)? = trimEnd else { return nil }
    return (end - start) / speed
  }
}

/// Joins the clips before and after it; they overlap for `duration`.
public struct TransitionItem: Sendable {
  /// One of the catalogue's names.
  public var name: String
  public var duration: MediaTime
  /// Default linear.
  public var easing: Easing
  public var direction: TransitionDirection?
  /// Width of a moving edge as a part of the picture, 0...1; nil: the transition's own.
  public var softness: Rational?
  public var color: ReelColor?
  /// Fractions of width and height; nil: the middle.
  public var center: (x: Rational, y: Rational)?
  /// For what looks random. Default 0: the same picture every time.
  public var seed: UInt64
  /// Bands, arms, squares across the picture, 1...1000; nil: the transition's own.
  public var count: Rational?
  /// How strong a distortion is, 0.05...4; nil: 1.
  public var strength: Rational?
  /// A grey image whose brightness says when each pixel changes.
  public var map: MediaReference?
  /// A user-defined transition.
  public var expression: String?
  public var place: DocumentPlace

  public init(
    _ name: String, duration: MediaTime, easing: Easing = .linear, direction: TransitionDirection? = nil, softness: Rational? = nil,
    color: ReelColor? = nil, center: (x: Rational, y: Rational)? = nil, seed: UInt64 = 0, map: MediaReference? = nil,
    expression: String? = nil, place: DocumentPlace = .none
  ) {
    self.name = name
    self.duration = duration
    self.easing = easing
    self.direction = direction
    self.softness = softness
    self.color = color
    self.center = center
    self.seed = seed
    self.map = map
    self.expression = expression
    self.place = place
  }
}

/// Where a transition moves to.
public enum TransitionDirection: String, CaseIterable, Sendable {
  case left, right, up, down
  case upLeft = "up-left"
  case upRight = "up-right"
  case downLeft = "down-left"
  case downRight = "down-right"
}

/// An element of the sequence.
public enum SequenceItem: Sendable {
  case clip(Clip)
  case transition(TransitionItem)
}
