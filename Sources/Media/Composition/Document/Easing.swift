/// How an animation moves through its time, as in CSS (Easing Functions Level 1).
public enum Easing: Hashable, Sendable {
  case linear
  case easeIn
  case easeOut
  case easeInOut
  /// `cubic-bezier(x1,y1,x2,y2)`; x1 and x2 lie in 0...1.
  case bezier(x1: Double, y1: Double, x2: Double, y2: Double)

  public static let names = ["linear", "ease-in", "ease-out", "ease-in-out"]

  /// Reads one of `names` or `cubic-bezier(x1,y1,x2,y2)`; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "linear": self = .linear
    case "ease-in": self = .easeIn
    case "ease-out": self = .easeOut
    case "ease-in-out", "ease": self = .easeInOut
    default:
      guard text.hasPrefix("cubic-bezier("), text.hasSuffix(")") else { return nil }
      let numbers = text.dropFirst(13).dropLast().split(separator: ",", omittingEmptySubsequences: false)
        .map { part in Double(String(part.filter { $0 != " " })) }
      guard numbers.count == 4, let x1 = numbers[0], let y1 = numbers[1], let x2 = numbers[2], let y2 = numbers[3],
        (0...1).contains(x1), (0...1).contains(x2), y1.magnitude < 100, y2.magnitude < 100
      else { return nil }
      self = .bezier(x1: x1, y1: y1, x2: x2, y2: y2)
    }
  }

  /// The part of the way done when `time` (0...1) of the time has passed; 0 at 0 and 1 at 1.
  public func value(at time: Double) -> Double {
    let time = min(1, max(0, time))
    return switch self {
    case .linear: time
    case .easeIn: Easing.curve(time, 0.42, 0, 1, 1)
    case .easeOut: Easing.curve(time, 0, 0, 0.58, 1)
    case .easeInOut: Easing.curve(time, 0.42, 0, 0.58, 1)
    case .bezier(let x1, let y1, let x2, let y2): Easing.curve(time, x1, y1, x2, y2)
    }
  }

  /// The y of the Bézier curve (0,0) (x1,y1) (x2,y2) (1,1) where its x is `time`; x grows with the parameter, so bisection finds it.
  private static func curve(_ time: Double, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Double {
    if time == 0 || time == 1 { return time }
    func point(_ a: Double, _ b: Double, _ t: Double) -> Double {
      3 * a * t * (1 - t) * (1 - t) + 3 * b * t * t * (1 - t) + t * t * t
    }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<48 {
      let middle = (low + high) / 2
      if point(x1, x2, middle) < time { low = middle } else { high = middle }
    }
    return point(y1, y2, (low + high) / 2)
  }
}

extension Easing: CustomStringConvertible {
  public var description: String {
    switch self {
    case .linear: "linear"
    case .easeIn: "ease-in"
    case .easeOut: "ease-out"
    case .easeInOut: "ease-in-out"
    case .bezier(let x1, let y1, let x2, let y2): "cubic-bezier(\(x1),\(y1),\(x2),\(y2))"
    }
  }
}
