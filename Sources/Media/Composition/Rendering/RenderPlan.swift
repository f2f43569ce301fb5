import MediaCore

/// What a render would do: `render --plan --json`.
public struct RenderPlan: Codable, Sendable {
  public var schema = 1
  public var durationSeconds: Double
  public var frames: Int
  public var segments: [Segment]
  public var inputs: [Input]
  public var warnings: [String]

  /// A run of output frames that are treated alike; half-open.
  public struct Segment: Codable, Sendable {
    public var from: Int
    public var to: Int
    /// `"encode"`, `"copy"` or `"cache"`.
    public var action: String
    public var reason: String
  }

  public struct Input: Codable, Sendable {
    public var name: String
    public var durationSeconds: Double
    public var hasAudio: Bool
  }
}

extension Render {
  /// The plan: one segment between any two edit points.
  public var plan: RenderPlan {
    let points = [0] + timeline.editPoints() + [timeline.frameCount]
    let segments = zip(points, points.dropFirst()).map { from, to in
      let reason: String =
        switch timeline.composite(at: from) {
        case .joined(_, _, let join, _): "transition \(timeline.joins[join].transition.name)"
        case .single(let picture):
          timeline.layers(at: from).isEmpty ? "clip \(picture.clip)" : "clip \(picture.clip) under an overlay"
        }
      return RenderPlan.Segment(from: from, to: to, action: "encode", reason: reason)
    }
    return RenderPlan(
      durationSeconds: timeline.duration.doubleValue, frames: timeline.frameCount, segments: segments,
      inputs: inputs.opened.map {
        .init(name: $0.name, durationSeconds: $0.facts.duration.doubleValue, hasAudio: $0.facts.hasAudio)
      }, warnings: warnings)
  }
}
