/// Which pictures damage may have reached by reference: those from the damaged one to the next keyframe in decode order.
struct DamageSpread {
  private var order: [Int64: Int] = [:]
  private var keyframes: [Int] = []
  private var damaged: [Int] = []
  private var count = 0

  /// The next packet in decode order.
  mutating func add(_ pts: Int64?, isKeyframe: Bool) {
    if isKeyframe { keyframes.append(count) }
    if let pts { order[pts] = count }
    count += 1
  }

  /// The picture shown at `pts` is damaged; nil means the packet added last.
  mutating func noteDamage(at pts: Int64?) {
    damaged.append(pts.flatMap { order[$0] } ?? count - 1)
  }

  /// Whether the picture shown at `pts` may be wrong.
  func reaches(_ pts: Int64) -> Bool {
    guard !damaged.isEmpty else { return false }
    let place = order[pts] ?? count - 1
    let start = keyframes.last { $0 <= place } ?? 0
    return damaged.contains { $0 >= start && $0 <= place }
  }
}
