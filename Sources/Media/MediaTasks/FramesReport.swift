public import FrameExtraction
import MediaCore

/// What `FramesTask` did: the JSON of `reel frames --report`.
public struct FramesReport: Codable, Sendable {
  public var schema = 1
  /// In ascending order of time.
  public var frames: [Frame] = []
  public var counters = ExtractionCounters()
  /// What was written beside the image files: the names of the task's outputs (`sheet`, `preview`, `sprites/…`); in the JSON of
  /// `reel frames` the paths of the files.
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
    /// Name of the image file in its folder, in the JSON of `reel frames` its path; nil when none was written.
    public var file: String?
    /// `inside`, `beforeStart` or `beyondEnd`.
    public var placement: String
    public var error: Failure?

    /// Every key stands in the JSON, null where nothing is known.
    public func encode(to encoder: any Swift.Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(index, forKey: .index)
      try values.encode(requested, forKey: .requested)
      try values.encode(actual, forKey: .actual)
      try values.encode(pts, forKey: .pts)
      try values.encode(file, forKey: .file)
      try values.encode(placement, forKey: .placement)
      try values.encode(error, forKey: .error)
    }
  }

  public struct Failure: Codable, Sendable {
    public var code: String
    public var message: String
    public var exitStatus: Int32
  }
}
