public import MediaCore

/// How an overlay looks at a moment: its animations and fades worked out.
public struct OverlayState: Hashable, Sendable {
  /// 0...1, with the overlay's own opacity.
  public var opacity: Double
  /// Moved from its place, in parts of its own width and height; right and down are positive.
  public var offsetX: Double
  public var offsetY: Double
  /// Size relative to its own.
  public var scale: Double
  /// Degrees clockwise about its middle.
  public var rotation: Double

  public init(opacity: Double, offsetX: Double = 0, offsetY: Double = 0, scale: Double = 1, rotation: Double = 0) {
    self.opacity = opacity
    self.rotation = rotation
    self.offsetX = offsetX
    self.offsetY = offsetY
    self.scale = scale
  }

  /// Whether the overlay is drawn at its own place and size, so that only its opacity and rotation may change.
  public var isAtRest: Bool { offsetX == 0 && offsetY == 0 && scale == 1 }
}

extension Timeline.Layer {
  /// The state at an output frame of `frames`. An animation or fade takes at most half of the time that the overlay is shown.
  public func state(at frame: Int, frameRate: Rational) -> OverlayState {
    let rate = frameRate.doubleValue
    let shown = Double(frames.count) / rate
    // Frames are sampled at their middle, so that coming and going are mirror images.
    let sinceStart = (Double(frame - frames.lowerBound) + 0.5) / rate
    let untilEnd = shown - sinceStart
    var state = OverlayState(opacity: overlay.opacity.doubleValue, offsetX: 0, offsetY: 0, scale: 1)
    func part(_ time: Double, of length: Double) -> Double { length <= 0 ? 1 : min(1, time / min(length, shown / 2)) }

    state.rotation = overlay.rotation.doubleValue
    if let end = overlay.rotationEnd { state.rotation += (end - overlay.rotation).doubleValue * sinceStart / shown }
    state.opacity *= part(sinceStart, of: overlay.fadeIn.doubleValue) * part(untilEnd, of: overlay.fadeOut.doubleValue)
    let length = overlay.animationDuration.doubleValue
    overlay.animationIn.apply(part(sinceStart, of: length), easing: overlay.easing, to: &state)
    overlay.animationOut.apply(part(untilEnd, of: length), easing: overlay.easing, to: &state)
    return state
  }
}

extension Overlay.Animation {
  /// Changes a state for an animation of which `part` is done; 1 leaves it as it is.
  func apply(_ part: Double, easing: Easing, to state: inout OverlayState) {
    guard part < 1, self != .none else { return }
    let way = easing.value(at: part)
    switch self {
    case .none: break
    case .fade: state.opacity *= way
    case .slideUp: slide(0, 1, way, &state)
    case .slideDown: slide(0, -1, way, &state)
    case .slideLeft: slide(1, 0, way, &state)
    case .slideRight: slide(-1, 0, way, &state)
    case .zoom:
      state.scale *= 0.6 + 0.4 * way
      state.opacity *= way
    case .spin:
      state.rotation -= 180 * (1 - way)
      state.scale *= max(0.01, way)
      state.opacity *= way
    case .pop:
      // Overshoots by 10 % (Penner's "back" curve with s = 1.70158).
      let rest = way - 1
      state.scale *= max(0.01, 1 + 2.70158 * rest * rest * rest + 1.70158 * rest * rest)
      state.opacity *= min(1, way * 3)
    }
  }

  private func slide(_ x: Double, _ y: Double, _ way: Double, _ state: inout OverlayState) {
    state.offsetX += x * (1 - way)
    state.offsetY += y * (1 - way)
    state.opacity *= way
  }
}
