public import MediaCore

extension Transition {
  /// The transition that a document asks for. Its map is a file: who renders reads it and hands it in.
  /// - Throws: `usage` at the item's place in the document when the catalogue has no such name.
  public init(_ item: TransitionItem, map: TransitionMap? = nil) throws(MediaError) {
    do {
      try self.init(item.name)
    } catch {
      throw item.place.error(error.reason, advice: error.advice)
    }
    if let direction = item.direction { self.direction = direction.degrees }
    if let softness = item.softness { self.softness = softness.doubleValue }
    if let color = item.color { self.color = Color(red: color.red, green: color.green, blue: color.blue) }
    if let center = item.center { self.center = (center.x.doubleValue, center.y.doubleValue) }
    seed = item.seed
    if let count = item.count { self.count = count.doubleValue }
    if let strength = item.strength { self.strength = strength.doubleValue }
    self.map = map
    expression = item.expression
  }
}

extension TransitionDirection {
  /// Degrees clockwise, 0 to the right.
  public var degrees: Double {
    switch self {
    case .right: 0
    case .downRight: 45
    case .down: 90
    case .downLeft: 135
    case .left: 180
    case .upLeft: 225
    case .up: 270
    case .upRight: 315
    }
  }
}
