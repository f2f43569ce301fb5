/// How far a run has come. The JSON form is one line of `--progress json`.
public struct Progress: Hashable, Sendable, Codable {
  public var schema = 1
  /// What is being done: `"encode"`, `"render"`, `"detect"` …
  public var stage: String
  /// The part done, 0...1; nil while the total is unknown.
  public var done: Double?
  public var frames: Int64
  /// Frames a second since the start of the stage.
  public var fps: Double
  public var etaSeconds: Double?

  public init(stage: String, done: Double?, frames: Int64, fps: Double, etaSeconds: Double?) {
    self.stage = stage
    self.done = done
    self.frames = frames
    self.fps = fps
    self.etaSeconds = etaSeconds
  }
}
