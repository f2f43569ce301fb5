internal import CKernels

/// Every transition there is.
public enum TransitionCatalogue {
  /// Our own families first, then FFmpeg's xfade effects under their names.
  public static let all: [TransitionDescription] = families + xfade

  /// The names, in the order of `all`.
  public static var names: [String] { all.map(\.name) }

  /// The entry of that name; nil when there is none.
  public static func entry(_ name: String) -> TransitionDescription? { byName[name] }

  private static let byName: [String: TransitionDescription] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  static let families: [TransitionDescription] = [
    TransitionDescription("crossfade", "one picture fades into the other", .crossfade),
    TransitionDescription("fade-color", "fades to a colour and out of it", .throughColor, color: .black),
    TransitionDescription("fade-black", "fades to black and out of it", .throughColor, color: .black),
    TransitionDescription("fade-white", "fades to white and out of it", .throughColor, color: .white),
    TransitionDescription(
      "wipe", "an edge crosses the picture in any direction", .mask(MaskRecipe(RW_SHAPE_LINEAR)), direction: 180, softness: 0.02),
    TransitionDescription(
      "smooth-wipe", "a wide soft edge crosses the picture", .mask(MaskRecipe(RW_SHAPE_LINEAR, smooth: true)), direction: 180,
      softness: 0.6),
    TransitionDescription(
      "wave", "a wavy edge crosses the picture", .mask(MaskRecipe(RW_SHAPE_WAVE)), direction: 180, softness: 0.02, count: 3,
      uses: [.center]),
    TransitionDescription(
      "diagonal", "an edge crosses the picture from corner to corner", .mask(MaskRecipe(RW_SHAPE_LINEAR)), direction: 45, softness: 0.02),
    TransitionDescription("push", "the new picture pushes the old one out", .move(.push), direction: 180),
    TransitionDescription("slide", "the new picture slides in, the old one out more slowly", .move(.slide), direction: 180),
    TransitionDescription("cover", "the new picture moves over the old one", .move(.cover), direction: 180),
    TransitionDescription("reveal", "the old picture moves away from the new one", .move(.reveal), direction: 180),
    TransitionDescription(
      "circle-open", "a circle grows from the centre", .mask(MaskRecipe(RW_SHAPE_CIRCLE)), softness: 0.03, uses: [.center]),
    TransitionDescription(
      "circle-close", "a circle shrinks to the centre", .mask(MaskRecipe(RW_SHAPE_CIRCLE, inverted: true)), softness: 0.03,
      uses: [.center]),
    TransitionDescription(
      "rectangle", "a rectangle grows from the centre", .mask(MaskRecipe(RW_SHAPE_RECTANGLE)), softness: 0.02, uses: [.center]),
    TransitionDescription(
      "diamond", "a diamond grows from the centre", .mask(MaskRecipe(RW_SHAPE_DIAMOND)), softness: 0.02, uses: [.center]),
    TransitionDescription("star", "a star grows from the centre", .mask(MaskRecipe(RW_SHAPE_STAR)), softness: 0.02, uses: [.center]),
    TransitionDescription("heart", "a heart grows from the centre", .mask(MaskRecipe(RW_SHAPE_HEART)), softness: 0.02, uses: [.center]),
    TransitionDescription(
      "clock", "a hand turns once around the centre", .mask(MaskRecipe(RW_SHAPE_CLOCK)), softness: 0.01, uses: [.center]),
    TransitionDescription(
      "spiral", "arms wind out of the centre", .mask(MaskRecipe(RW_SHAPE_SPIRAL)), softness: 0.05, count: 2, uses: [.center]),
    TransitionDescription(
      "barn-doors", "two doors open from the middle", .mask(MaskRecipe(RW_SHAPE_BARN)), direction: 0, softness: 0.02, uses: [.center]),
    TransitionDescription(
      "barn-doors-close", "two doors close upon the middle", .mask(MaskRecipe(RW_SHAPE_BARN, inverted: true)), direction: 0,
      softness: 0.02, uses: [.center]),
    TransitionDescription(
      "blinds", "slats turn all at once", .mask(MaskRecipe(RW_SHAPE_BLINDS)), direction: 90, softness: 0.1, count: 8),
    TransitionDescription(
      "checkers", "squares change in two turns", .mask(MaskRecipe(RW_SHAPE_CHECKERS)), direction: 0, softness: 0.05, count: 10),
    TransitionDescription(
      "block-dissolve", "blocks change in random order", .mask(MaskRecipe(RW_SHAPE_BLOCKS)), softness: 0.3, count: 30, uses: [.seed]),
    TransitionDescription(
      "luma-map", "a grey image says when each place changes, dark first", .mask(MaskRecipe(RW_SHAPE_MAP)), softness: 0.1, uses: [.map]),
    TransitionDescription(
      "zoom", "flies through the old picture into the new one", .warp(RW_WARP_ZOOM, blur: nil), uses: [.center, .strength]),
    TransitionDescription(
      "cross-zoom", "flies through with a blur towards the centre", .warp(RW_WARP_ZOOM, blur: .radial), uses: [.center, .strength]),
    TransitionDescription(
      "whip-pan", "the camera is torn aside", .warp(RW_WARP_PAN, blur: .directional), direction: 180, uses: [.strength]),
    TransitionDescription("squeeze", "the old picture is squeezed away", .warp(RW_WARP_SQUEEZE, blur: nil), direction: 180),
    TransitionDescription(
      "ripple", "rings run over both pictures", .warp(RW_WARP_RIPPLE, blur: nil), count: 6, uses: [.center, .strength]),
    TransitionDescription("swirl", "both pictures are wound up and unwound", .warp(RW_WARP_SWIRL, blur: nil), uses: [.center, .strength]),
    TransitionDescription(
      "page-curl", "the old picture rolls off like a page", .warp(RW_WARP_CURL, blur: nil), direction: 180, uses: [.strength]),
    TransitionDescription("cube", "two faces of a turning cube", .warp(RW_WARP_CUBE, blur: nil), direction: 180, uses: [.strength]),
    TransitionDescription("doorway", "the old picture opens like doors", .warp(RW_WARP_DOORWAY, blur: nil), uses: [.strength]),
    TransitionDescription(
      "kaleidoscope", "mirrors turn around the centre", .warp(RW_WARP_KALEIDOSCOPE, blur: nil), count: 8, uses: [.center]),
    TransitionDescription("glitch", "torn rows and shifted colours", .warp(RW_WARP_GLITCH, blur: nil), uses: [.seed, .strength]),
    TransitionDescription(
      "directional-warp", "a soft front that stretches what it passes", .warp(RW_WARP_DIRECTIONAL, blur: nil), direction: 180,
      uses: [.strength]),
    TransitionDescription("film-burn", "the old picture burns away", .warp(RW_WARP_BURN, blur: nil), uses: [.seed]),
    TransitionDescription(
      "light-leak", "a warm light passes over the change", .warp(RW_WARP_LEAK, blur: nil), direction: 0, uses: [.seed, .strength]),
    TransitionDescription(
      "luma-morph", "brightness pushes the pictures into each other", .warp(RW_WARP_MORPH, blur: nil), uses: [.strength]),
    TransitionDescription("pixelate", "both pictures dissolve into squares", .pixelate(isFine: true), uses: [.strength]),
  ]

  /// The 44 effects of FFmpeg 5.1's xfade filter by its names and definitions.
  static let xfade: [TransitionDescription] = [
    entry("fade", "xfade: crossfade", .crossfade),
    entry("fadeblack", "xfade: over black", .overColor, color: .black),
    entry("fadewhite", "xfade: over white", .overColor, color: .white),
    entry("fadegrays", "xfade: over grey", .overGray),
    entry("fadefast", "xfade: large differences fade faster", .difference(fast: true)),
    entry("fadeslow", "xfade: large differences fade slower", .difference(fast: false)),
    entry("distance", "xfade: near colours first", .distance),
    entry("wipeleft", "xfade: sharp edge moving left", hard(RW_SHAPE_LINEAR), direction: 180),
    entry("wiperight", "xfade: sharp edge moving right", hard(RW_SHAPE_LINEAR), direction: 0),
    entry("wipeup", "xfade: sharp edge moving up", hard(RW_SHAPE_LINEAR), direction: 270),
    entry("wipedown", "xfade: sharp edge moving down", hard(RW_SHAPE_LINEAR), direction: 90),
    entry("wipetl", "xfade: towards the top left corner", hard(RW_SHAPE_CORNER), direction: 225),
    entry("wipetr", "xfade: towards the top right corner", hard(RW_SHAPE_CORNER), direction: 315),
    entry("wipebl", "xfade: towards the bottom left corner", hard(RW_SHAPE_CORNER), direction: 135),
    entry("wipebr", "xfade: towards the bottom right corner", hard(RW_SHAPE_CORNER), direction: 45),
    entry("slideleft", "xfade: push to the left", .move(.push), direction: 180),
    entry("slideright", "xfade: push to the right", .move(.push), direction: 0),
    entry("slideup", "xfade: push upwards", .move(.push), direction: 270),
    entry("slidedown", "xfade: push downwards", .move(.push), direction: 90),
    entry("smoothleft", "xfade: wide soft edge moving left", smooth(RW_SHAPE_LINEAR), direction: 180),
    entry("smoothright", "xfade: wide soft edge moving right", smooth(RW_SHAPE_LINEAR), direction: 0),
    entry("smoothup", "xfade: wide soft edge moving up", smooth(RW_SHAPE_LINEAR), direction: 270),
    entry("smoothdown", "xfade: wide soft edge moving down", smooth(RW_SHAPE_LINEAR), direction: 90),
    entry("circleopen", "xfade: soft circle opens", smooth(RW_SHAPE_CIRCLE, rate: 3, start: -0.5)),
    entry("circleclose", "xfade: soft circle closes", smooth(RW_SHAPE_CIRCLE, rate: 3, start: -0.5, inverted: true)),
    entry("circlecrop", "xfade: circle closes to black and opens", .window(MaskRecipe(RW_SHAPE_CIRCLE, softness: 0, offset: 0), power: 3)),
    entry(
      "rectcrop", "xfade: rectangle closes to black and opens",
      .window(MaskRecipe(RW_SHAPE_RECTANGLE, softness: 0, offset: 0, inset: 0.999), power: 1)),
    entry("radial", "xfade: soft hand turns", clock),
    entry("vertopen", "xfade: vertical doors open", smooth(RW_SHAPE_BARN), direction: 0),
    entry("vertclose", "xfade: vertical doors close", smooth(RW_SHAPE_BARN, inverted: true), direction: 0),
    entry("horzopen", "xfade: horizontal doors open", smooth(RW_SHAPE_BARN), direction: 90),
    entry("horzclose", "xfade: horizontal doors close", smooth(RW_SHAPE_BARN, inverted: true), direction: 90),
    entry("dissolve", "xfade: single pixels in random order", .mask(MaskRecipe(RW_SHAPE_GRAIN, softness: 0, motion: (1, 0)))),
    entry("pixelize", "xfade: both pictures dissolve into squares", .pixelate(isFine: false)),
    entry("diagtl", "xfade: soft hyperbola to the top left", smooth(RW_SHAPE_PRODUCT), direction: 225),
    entry("diagtr", "xfade: soft hyperbola to the top right", smooth(RW_SHAPE_PRODUCT), direction: 315),
    entry("diagbl", "xfade: soft hyperbola to the bottom left", smooth(RW_SHAPE_PRODUCT), direction: 135),
    entry("diagbr", "xfade: soft hyperbola to the bottom right", smooth(RW_SHAPE_PRODUCT), direction: 45),
    entry("hlslice", "xfade: slices moving left", slices(offset: 0), direction: 180),
    entry("hrslice", "xfade: slices moving right", slices(offset: 1), direction: 0),
    entry("vuslice", "xfade: slices moving up", slices(offset: 0), direction: 270),
    entry("vdslice", "xfade: slices moving down", slices(offset: 1), direction: 90),
    entry("hblur", "xfade: blurred sideways", .blurRows),
    entry("squeezeh", "xfade: squeezed to the horizontal middle line", .squeeze(isHorizontal: true)),
    entry("squeezev", "xfade: squeezed to the vertical middle line", .squeeze(isHorizontal: false)),
    entry("zoomin", "xfade: zooms into the first picture", .zoomSamples),
    entry("custom", "an expression of your own in xfade's language", .custom, uses: [.expression]),
  ]

  /// `offset`: xfade counts from the far edge in two of the four.
  private static func slices(offset: Double) -> TransitionMethod {
    .mask(MaskRecipe(RW_SHAPE_SLICES, softness: 0, motion: (1, 0), offset: offset))
  }

  /// The ramp of xfade's radial is one radian wide; its progress sweeps 2.5 π.
  private static let clock = TransitionMethod.mask(
    MaskRecipe(RW_SHAPE_CLOCK, softness: 0.5 / Double.pi, smooth: true, motion: (1.25, -0.125), offset: 0))

  private static func entry(
    _ name: String, _ summary: String, _ method: TransitionMethod, direction: Double? = nil, color: Transition.Color? = nil,
    uses: [TransitionDescription.Parameter] = []
  ) -> TransitionDescription {
    TransitionDescription(
      name, summary, method, xfade: true, direction: direction, color: color, count: nil, uses: uses)
  }

  /// A front without a ramp that stands at `progress` of the way.
  private static func hard(_ shape: Int) -> TransitionMethod { .mask(MaskRecipe(shape, softness: 0, motion: (1, 0), offset: -0.5)) }

  /// A ramp as long as the whole way.
  private static func smooth(_ shape: Int, rate: Double = 2, start: Double = 0, inverted: Bool = false) -> TransitionMethod {
    .mask(MaskRecipe(shape, softness: 1, smooth: true, motion: (rate, start), offset: 0, inverted: inverted))
  }
}
