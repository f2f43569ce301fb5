public import Watermark

/// What `detect` found: the JSON of `reel watermark detect --json`.
public struct DetectReport: Codable, Sendable {
  public var schema = 1
  public var files: [File] = []

  public struct File: Codable, Sendable {
    public var file: String
    /// Empty where no mark was accepted.
    public var marks: [Mark] = []
    public var framesUsed = 0
    public var secondsSearched = 0.0
    /// Readings that were tested for an id; the bound of each mark counts them.
    public var attempts = 0
    /// The largest decision statistic of any candidate, accepted or not.
    public var bestZ = 0.0
    public var cpuSeconds = 0.0
    public var error: ProbeReport.Failure?

    init(file: String, error: ProbeReport.Failure? = nil) {
      self.file = file
      self.error = error
    }

    private enum CodingKeys: String, CodingKey { case file, marks, framesUsed, secondsSearched, attempts, bestZ, cpuSeconds, error }

    /// Every key is present; `error` is null where there is none.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(file, forKey: .file)
      try values.encode(marks, forKey: .marks)
      try values.encode(framesUsed, forKey: .framesUsed)
      try values.encode(secondsSearched, forKey: .secondsSearched)
      try values.encode(attempts, forKey: .attempts)
      try values.encode(bestZ, forKey: .bestZ)
      try values.encode(cpuSeconds, forKey: .cpuSeconds)
      try values.encode(error, forKey: .error)
    }
  }

  public struct Mark: Codable, Sendable {
    /// 16 hex digits.
    public var id: String
    /// The individual copy, where the mark names one.
    public var copy: String?
    /// 8 hex digits.
    public var keyId: String
    /// The decision statistic; see `MarkDecision`.
    public var z: Double
    /// Base-10 logarithm of the bound on the chance of a false positive for the whole search.
    public var log10FalsePositive: Double
    /// `"open"`, `"registry"` or `"expect"`.
    public var decision: String
    /// Half-open stretches in seconds.
    public var ranges: [[Double]]
    public var transform: MarkTransform

    init(
      id: String, keyId: String, z: Double, log10FalsePositive: Double, decision: String, copy: String?, ranges: [[Double]],
      transform: MarkTransform
    ) {
      (self.id, self.copy, self.keyId, self.z, self.log10FalsePositive) = (id, copy, keyId, z, log10FalsePositive)
      (self.decision, self.ranges, self.transform) = (decision, ranges, transform)
    }

    private enum CodingKeys: String, CodingKey { case id, copy, keyId, z, log10FalsePositive, decision, ranges, transform }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(id, forKey: .id)
      try values.encode(copy, forKey: .copy)
      try values.encode(keyId, forKey: .keyId)
      try values.encode(z, forKey: .z)
      try values.encode(log10FalsePositive, forKey: .log10FalsePositive)
      try values.encode(decision, forKey: .decision)
      try values.encode(ranges, forKey: .ranges)
      try values.encode(transform, forKey: .transform)
    }
  }
}
