public import MediaCore
public import Text

/// A layer over the sequence.
public struct Overlay: Sendable {
  public enum Content: Sendable {
    /// A still or an animated image.
    case image(MediaReference)
    /// A picture in picture.
    case media(MediaReference)
    case text(String, style: TextStyle)
  }

  /// How a layer comes or goes.
  public enum Animation: String, CaseIterable, Sendable {
    case none, fade
    case slideUp = "slide-up"
    case slideDown = "slide-down"
    case slideLeft = "slide-left"
    case slideRight = "slide-right"
    /// Grows from nothing, a little too far, and settles.
    case pop
    case zoom
    /// Grows from nothing while it turns by half a turn.
    case spin
  }

  public var content: Content
  /// Default center; for text bottom.
  public var anchor: Anchor
  /// Distance from the canvas edges that the anchor touches. Default 0; for text 5 %.
  public var marginX: Length
  public var marginY: Length
  /// Size; with one given the other follows from the picture's shape. nil both: the picture's own pixels.
  public var width: Length?
  public var height: Length?
  /// 0...1, default 1.
  public var opacity: Rational
  /// Degrees clockwise about its middle. Default 0.
  public var rotation: Rational
  /// What the rotation evenly changes to over the time that the overlay is shown; nil: it stays.
  public var rotationEnd: Rational?
  /// On the output timeline, inclusive. Default the start.
  public var from: MediaTime
  /// Exclusive; nil: to the end.
  public var to: MediaTime?
  public var fadeIn: MediaTime
  public var fadeOut: MediaTime
  public var animationIn: Animation
  public var animationOut: Animation
  /// Length of each animation. Default 0.4 s.
  public var animationDuration: MediaTime
  public var easing: Easing
  /// For media: the part of the source to use.
  public var trimStart: TimePosition
  public var trimEnd: TimePosition?
  public var speed: Rational
  /// For media: begin again when the source ends before the overlay; else the overlay ends with it. Default false. Animated images always
  /// begin again.
  public var loop: Bool
  /// For media: decibels of its sound; nil: silent. Default nil.
  public var volume: Rational?
  public var place: DocumentPlace

  public init(_ content: Content, place: DocumentPlace = .none) {
    self.content = content
    var isText = false
    if case .text = content { isText = true }
    anchor = isText ? .bottom : .center
    marginX = isText ? .fraction(Rational(1, 20)) : .pixels(.zero)
    marginY = marginX
    opacity = Rational(1)
    rotation = .zero
    from = .zero
    fadeIn = .zero
    fadeOut = .zero
    animationIn = .none
    animationOut = .none
    animationDuration = MediaTime(Rational(2, 5))
    easing = .easeOut
    trimStart = .time(.zero)
    speed = Rational(1)
    loop = false
    self.place = place
  }

  /// The file, when there is one.
  public var reference: MediaReference? {
    switch content {
    case .image(let reference), .media(let reference): reference
    case .text: nil
    }
  }
}

/// Subtitles burnt into the picture.
public struct Captions: Sendable {
  /// SRT, WebVTT, ASS or word timings (JSON).
  public var file: MediaReference
  public var style: TextStyle
  /// Added to every time of the file. Default 0.
  public var offset: MediaTime
  public var place: DocumentPlace

  public init(file: MediaReference, style: TextStyle, offset: MediaTime = .zero, place: DocumentPlace = .none) {
    self.file = file
    self.style = style
    self.offset = offset
    self.place = place
  }
}
