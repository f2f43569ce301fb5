public import FrameExtraction
import MediaCore

/// What `FramesTask` did: the JSON of `reel frames --report`.
public struct FramesReport: Codable, Sendable {
  public var schema = 1
  /// In ascending order of time.
  public var frames: [Frame] = []
  public var counters = ExtractionCounters()
  /// Names of the outputs beside the image files: `sheet`, `preview`, `sprites/…`.
  public var products: [String] = []
  public var warnings: [String] = []

  public struct Frame: Codable, Sendable {
    /// Which item of the request this is, 0 first.
    public var index: Int
    /// Seconds; nil where the selection names no time.
    public var requested: Double?
    /// Seconds; nil when there is no frame.
    public var actual: Double?
    /// `actual` exactly: `"1001/30000"`.
    public var pts: String?
    /// Name of the image file in its folder; nil when none was written.
    public var file: String?
    /// `inside`, `beforeStart` or `beyondEnd`.
    public var placement: String
    public var error: Failure?
  }

  public struct Failure: Codable, Sendable {
    public var code: String
    public var message: String
    public var exitStatus: Int32
  }
}
