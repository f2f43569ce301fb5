import MediaCore

/// What a render would do: `render --plan --json`.
public struct RenderPlan: Codable, Sendable {
  public var schema = 1
  public var durationSeconds: Double
  public var frames: Int
  public var segments: [Segment]
  public var inputs: [Input]
  public var warnings: [String]
  /// Why what could have been copied is encoded.
  public var notes: [String] = []

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
