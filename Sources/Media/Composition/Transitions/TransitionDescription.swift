/// An entry of the catalogue.
public struct TransitionDescription: Sendable {
  /// What documents call it.
  public let name: String
  /// One line for people.
  public let summary: String
  /// Whether it is one of FFmpeg's xfade effects, drawn by xfade's own definition.
  public let isXFade: Bool
  /// The parameters that it uses, beside duration and easing, which every transition has.
  public let parameters: [Parameter]
  let method: TransitionMethod

  /// What can be set.
  public enum Parameter: String, CaseIterable, Sendable {
    case direction, softness, color, center, seed, count, strength, map, expression
  }

  /// Defaults; nil where the parameter is not used.
  public let direction: Double?
  public let softness: Double?
  public let color: Transition.Color?
  public let count: Double?

  init(
    _ name: String, _ summary: String, _ method: TransitionMethod, xfade: Bool = false, direction: Double? = nil, softness: Double? = nil,
    color: Transition.Color? = nil, count: Double? = nil, uses: [Parameter] = []
  ) {
    self.name = name
    self.summary = summary
    self.method = method
    isXFade = xfade
    self.direction = direction
    self.softness = softness
    self.color = color
    self.count = count
    var parameters = uses
    if direction != nil, !xfade { parameters.append(.direction) }
    if softness != nil { parameters.append(.softness) }
    if color != nil { parameters.append(.color) }
    if count != nil { parameters.append(.count) }
    self.parameters = Parameter.allCases.filter { parameters.contains($0) }
  }
}
