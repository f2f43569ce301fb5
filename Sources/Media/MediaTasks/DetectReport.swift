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
    /// Why nothing may have been found, and what would be needed; nil where a mark was found or the input was enough.
    public var advice: String?
    public var error: ProbeReport.Failure?

    init(file: String, error: ProbeReport.Failure? = nil) {
      self.file = file
      self.error = error
    }

    private enum CodingKeys: String, CodingKey { case file, marks, framesUsed, secondsSearched, attempts, bestZ, cpuSeconds, advice, error }

    /// Every key is present; `advice` and `error` are null where there is none.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(file, forKey: .file)
      try values.encode(marks, forKey: .marks)
      try values.encode(framesUsed, forKey: .framesUsed)
      try values.encode(secondsSearched, forKey: .secondsSearched)
      try values.encode(attempts, forKey: .attempts)
      try values.encode(bestZ, forKey: .bestZ)
      try values.encode(cpuSeconds, forKey: .cpuSeconds)
      try values.encode(advice, forKey: .advice)
      try values.encode(error, forKey: .error)
    }
  }

  public struct Mark: Codable, Sendable {
    /// 16 hex digits.
    public var id: String
    /// Whose mark it is, where a registry of creators was asked.
    public var creator: String?
    /// The individually marked copies that the file comes from, in order of time; empty where it was not asked for copies, or none
    /// could be told.
    public var copies: [Copy]
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

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(String.self, forKey: .id)
      creator = try values.decodeIfPresent(String.self, forKey: .creator)
      copies = try values.decode([Copy].self, forKey: .copies)
      keyId = try values.decode(String.self, forKey: .keyId)
      z = try values.decode(Double.self, forKey: .z)
      log10FalsePositive = try values.decode(Double.self, forKey: .log10FalsePositive)
      decision = try values.decode(String.self, forKey: .decision)
      ranges = try values.decode([[Double]].self, forKey: .ranges)
      transform = try values.decode(MarkTransform.self, forKey: .transform)
    }

    public struct Copy: Codable, Sendable {
      /// 16 hex digits.
      public var id: String
      /// A half-open stretch in seconds.
      public var range: [Double]
      /// Natural logarithm of how much likelier this copy is than the next likely one.
      public var logOdds: Double
    }

    init(
      id: String, keyId: String, z: Double, log10FalsePositive: Double, decision: String, copies: [Copy], ranges: [[Double]],
      transform: MarkTransform
    ) {
      (self.id, self.copies, self.keyId, self.z, self.log10FalsePositive) = (id, copies, keyId, z, log10FalsePositive)
      (self.decision, self.ranges, self.transform) = (decision, ranges, transform)
    }

    private enum CodingKeys: String, CodingKey { case id, creator, copy, copies, keyId, z, log10FalsePositive, decision, ranges, transform }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(id, forKey: .id)
      try values.encode(creator, forKey: .creator)
      try values.encode(copies.first?.id, forKey: .copy)
      try values.encode(copies, forKey: .copies)
      try values.encode(keyId, forKey: .keyId)
      try values.encode(z, forKey: .z)
      try values.encode(log10FalsePositive, forKey: .log10FalsePositive)
      try values.encode(decision, forKey: .decision)
      try values.encode(ranges, forKey: .ranges)
      try values.encode(transform, forKey: .transform)
    }
  }
}
