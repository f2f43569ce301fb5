/// A judgement of sampled frames before an output is published.
public struct ModerationVerdict: Hashable, Sendable {
  public enum Decision: String, Sendable { case allow, refuse, review }

  public var decision: Decision
  /// One of the words of `EventField.category`. Default `"none"`.
  public var category: String

  public init(_ decision: Decision, category: String = "none") {
    self.decision = decision
    self.category = category
  }
}

/// A frame that was sampled for moderation.
public struct ModerationFrame: Sendable {
  /// Its time in the output, in seconds.
  public var seconds: Double
  /// A JPEG image.
  public var jpeg: [UInt8]

  public init(seconds: Double, jpeg: [UInt8]) {
    self.seconds = seconds
    self.jpeg = jpeg
  }
}

/// Judges sampled frames; called on the thread of the job, may block.
public protocol ModerationHook: Sendable {
  func verdict(on frames: [ModerationFrame]) throws -> ModerationVerdict
}

extension MetadataLog {
  /// Asks `hook` about the frames of an output, logs the verdict, and throws `refused` (status 77) unless it allows
  /// publication. A hook that fails refuses: nothing is published unseen.
  ///
  /// The verdict is kept by the moderation class; `placeHold` keeps it longer where the law asks for it.
  public func moderate(_ frames: [ModerationFrame], job: String, project: String = "default", hook: any ModerationHook) throws {
    let verdict: ModerationVerdict
    var failure: String?
    do {
      verdict = try hook.verdict(on: frames)
    } catch {
      verdict = ModerationVerdict(.refuse, category: "other")
      failure = "the moderation hook failed"
    }
    let category = EventField.category.type.accepts(.text(verdict.category)) ? verdict.category : "other"
    try append(
      LogEvent(
        .moderationVerdict, project: project,
        [
          .job: .text(job), .verdict: .text(verdict.decision.rawValue), .category: .text(category), .count: .integer(Int64(frames.count)),
        ]))
    guard verdict.decision == .allow else {
      throw MetadataLogError(
        .refused, "publication is refused", reason: failure ?? "moderation says \(verdict.decision.rawValue) (\(category))",
        advice: verdict.decision == .review ? "have a person review it" : nil)
    }
  }
}
