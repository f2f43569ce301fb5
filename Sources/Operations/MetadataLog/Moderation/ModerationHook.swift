public import MediaCore

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

/// What a hook is asked.
public struct ModerationRequest: Sendable {
  /// In the order of the outputs and of time; empty for outputs without pictures.
  public var frames: [ModerationFrame]
  /// A private folder in which the hook may put files: it vanishes with the job, also when this process is killed. Default
  /// nil: `$TMPDIR`, or `/tmp`.
  public var folder: String?
  /// Set when nobody waits for the verdict any more: stop soon, and throw.
  public var cancellation: Cancellation

  public init(frames: [ModerationFrame], folder: String? = nil, cancellation: Cancellation = Cancellation()) {
    self.frames = frames
    self.folder = folder
    self.cancellation = cancellation
  }
}

/// Judges sampled frames; called on the thread of the job, may block.
public protocol ModerationHook: Sendable {
  func verdict(on request: ModerationRequest) throws -> ModerationVerdict
}

extension MetadataLog {
  /// Asks `hook` about the frames of an output, logs the verdict, and throws `refused` (status 77) unless it allows
  /// publication. A hook that fails refuses: nothing is published unseen.
  ///
  /// The verdict is kept by the moderation class; `placeHold` keeps it longer where the law asks for it.
  /// - Throws: `cancelled` when the request was cancelled before there was a verdict, and `retryLater` when the hook says so, because it could
  ///   not look now; nothing is logged then.
  public func moderate(_ request: ModerationRequest, job: String, project: String = "default", hook: any ModerationHook) throws {
    let verdict: ModerationVerdict
    var failure: String?
    do {
      verdict = try hook.verdict(on: request)
    } catch {
      if request.cancellation.isCancelled {
        throw MetadataLogError(.cancelled, "publication is undecided", reason: "cancelled")
      }
      if let error = error as? MetadataLogError, error.code == .retryLater { throw error }
      verdict = ModerationVerdict(.refuse, category: "other")
      // Of another module's error nothing is known to be free of secrets.
      failure = (error as? MetadataLogError).map { "the moderation hook failed: \($0.reason)" } ?? "the moderation hook failed"
    }
    let category = EventField.category.type.accepts(.text(verdict.category)) ? verdict.category : "other"
    try append(
      LogEvent(
        .moderationVerdict, project: project,
        [
          .job: .text(job), .verdict: .text(verdict.decision.rawValue), .category: .text(category),
          .count: .integer(Int64(request.frames.count)),
        ]))
    guard verdict.decision == .allow else {
      throw MetadataLogError(
        .refused, "publication is refused", reason: failure ?? "moderation says \(verdict.decision.rawValue) (\(category))",
        advice: failure != nil ? "mend the hook, then retry the job" : verdict.decision == .review ? "have a person review it" : nil)
    }
  }
}
