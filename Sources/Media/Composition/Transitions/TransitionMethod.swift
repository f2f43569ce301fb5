internal import CKernels

/// How a transition is drawn.
enum TransitionMethod: Sendable {
  case crossfade
  /// First picture to colour, then colour to the second, each in half of the time.
  case throughColor
  /// xfade's fadeblack and fadewhite: the pictures overlap in the middle.
  case overColor
  /// xfade's fadegrays: chroma fades out and in again.
  case overGray
  /// xfade's fadefast and fadeslow.
  case difference(fast: Bool)
  /// xfade's distance.
  case distance
  case mask(MaskRecipe)
  /// xfade's crops: a shrinking window of the first picture over a colour, then a growing one of the second.
  case window(MaskRecipe, power: Double)
  case move(Move)
  /// xfade's squeezes and zoom: samples taken without filtering.
  case squeeze(isHorizontal: Bool)
  case zoomSamples
  case pixelate(isFine: Bool)
  /// xfade's hblur.
  case blurRows
  case custom
  /// Samples from computed places; `blur` is added along the move.
  case warp(Int, blur: Blur?)

  enum Blur: Sendable {
    /// Towards and away from the centre.
    case radial
    /// Along the direction.
    case directional
  }

  enum Move: Sendable {
    /// Both pictures move together.
    case push
    /// Both move, the first at a third of the speed.
    case slide
    /// The second moves over the first, which stands still.
    case cover
    /// The first moves away from the second, which stands still.
    case reveal
  }
}

/// A mask transition: the shape of its front and how progress moves it.
struct MaskRecipe: Sendable {
  var shape: Int
  /// nil: the transition's own softness.
  var softness: Double?
  var isSmooth = false
  /// Front position = progress × rate + start, in units of the field's length; nil: from nothing to everything,
  /// softness included.
  var motion: (rate: Double, start: Double)?
  /// Where in its square a sample stands.
  var offset: Double = 0.5
  /// Samples added to the distances of a rectangle: xfade compares whole numbers.
  var inset: Double = 0
  var isInverted = false

  init(
    _ shape: Int, softness: Double? = nil, smooth: Bool = false, motion: (rate: Double, start: Double)? = nil, offset: Double = 0.5,
    inset: Double = 0, inverted: Bool = false
  ) {
    self.shape = shape
    self.softness = softness
    isSmooth = smooth
    self.motion = motion
    self.offset = offset
    self.inset = inset
    isInverted = inverted
  }
}
