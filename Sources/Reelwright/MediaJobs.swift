import FileAccess
public import Jobs
public import MediaCore
import MediaTasks
import PositionedJSON
public import Sandbox

/// Runs media tasks as jobs: a job's kind is a task's kind, its payload the task's JSON.
///
/// Every output gets a sidecar that names the job, the task with its parameters, and the output's hash.
public struct MediaJobHandler: JobHandler {
  /// Where tasks are run.
  public enum Isolation: Sendable {
    /// Each in a worker process without files or network. A worker that dies counts as a crash of the job.
    case process(WorkerPool)
    /// In this process: an embedder's choice for files it trusts.
    case inProcess(threads: Int)
  }

  private let isolation: Isolation
  private let limits: Limits
  private let moderation: OutputModeration?

  /// - Parameters:
  ///   - isolation: where tasks run.
  ///   - moderation: who is shown frames of the outputs before they are published. Default nobody.
  public init(_ isolation: Isolation, limits: Limits = Limits(), moderation: OutputModeration? = nil) {
    self.isolation = isolation
    self.limits = limits
    self.moderation = moderation
  }

  public func run(_ context: JobContext) throws -> JobAnswer {
    let spec = context.job.spec
    let report: @Sendable (Progress) -> Void = { context.report(done: $0.done, etaSeconds: $0.etaSeconds, stage: $0.stage) }
    let (files, payload) = try prepared(context)
    let result = try perform(spec.kind, payload, files, context, report)
    try moderation?.review(context) { kind, payload, files in
      try perform(kind, payload, files, context) { _ in context.report(done: nil, stage: "moderation") }
    }
    let job = context.job
    var sidecars: [String: @Sendable (String) -> String] = [:]
    for (name, path) in spec.outputs {
      let text: @Sendable (String) -> String = { digest in
        MediaJobHandler.sidecar(job, output: path, sha256: digest, result: result)
      }
      sidecars[name] = text
    }
    return JobAnswer(result: result, sidecars: sidecars)
  }

  private func perform(
    _ kind: String, _ payload: [UInt8], _ files: any Files, _ context: JobContext, _ report: @escaping @Sendable (Progress) -> Void
  ) throws -> [UInt8] {
    switch isolation {
    case .inProcess(let threads):
      let task = TaskContext(files: files, limits: limits, cancellation: context.cancellation, threads: threads, progress: report)
      return try TaskRegistry.run(kind: kind, payload: payload, context: task)
    case .process(let pool):
      do throws(MediaError) {
        let answer = try pool.run(
          kind: kind, payload: payload, files: files, limits: limits,
          keepsStatistics: try TaskRegistry.keepsStatistics(kind: kind, payload: payload), cancellation: context.cancellation,
          progress: report)
        return answer.bytes
      } catch {
        if error.workerDeath == nil { throw error }
        throw JobsError(.crashed, "cannot run job \(kind)", reason: error.reason)
      }
    }
  }

  /// The files and the whole payload of a job.
  ///
  /// A render or an encode keeps its finished segments in the job's scratch folder, which outlives an attempt: the next one takes
  /// them from there, so that work that was killed encodes at most one segment again.
  private func prepared(_ context: JobContext) throws -> (files: any Files, payload: [UInt8]) {
    let spec = context.job.spec
    let payload = try TaskPayload.complete(kind: spec.kind, spec.payload)
    let cached: [UInt8]
    switch spec.kind {
    case RenderTask.kind:
      var task = try TaskCoding.decode(RenderTask.self, from: payload)
      task.usesCache = true
      cached = try TaskCoding.encode(task)
    case EncodeTask.kind:
      var task = try TaskCoding.decode(EncodeTask.self, from: payload)
      task.usesCache = true
      cached = try TaskCoding.encode(task)
    default: return (context.files, payload)
    }
    let cache = try ContentCache(folder: context.scratchFolder() + "/segments", quotaBytes: .max)
    return (CachedFiles(context.files, cache: cache), cached)
  }

  private static func sidecar(_ job: Job, output: String, sha256: String, result: [UInt8]) -> String {
    // Member by member: one literal of mixed values takes the type checker minutes.
    var members: [(String, JSON)] = []
    func add(_ key: String, _ value: JSON) { members.append((key, value)) }
    add("schema", JSON.integer(1))
    add("job", JSON.integer(job.id.rawValue))
    let shown = RemoteFiles.display(output)
    let file = shown == output ? output.split(separator: "/").last.map(String.init) ?? output : shown
    add("output", texts(["file": file, "sha256": sha256]))
    add("inputs", texts(job.spec.shown.inputs))
    add("task", JSON.string(job.spec.kind))
    add("parameters", document(job.spec.payload))
    add("metadata", texts(job.spec.labels))
    add("versions", texts(["ffmpeg": Version.ffmpeg, "reelwright": Version.current]))
    add("report", document(result))
    return JSON.object(members).text() + "\n"
  }

  private static func document(_ bytes: [UInt8]) -> JSON {
    guard let node = try? JSONParser.parse(bytes, source: JSONSource("result")) else { return JSON.null }
    return JSON(node.value)
  }

  private static func texts(_ values: [String: String]) -> JSON {
    let sorted = values.sorted { $0.key < $1.key }
    return JSON.object(sorted.map { ($0.key, JSON.string($0.value)) })
  }
}

extension JobHandlers {
  /// Handlers for every kind of media task.
  public static func media(
    _ isolation: MediaJobHandler.Isolation, limits: Limits = Limits(), moderation: OutputModeration? = nil
  ) -> JobHandlers {
    var handlers = JobHandlers()
    for kind in TaskRegistry.kinds { handlers.register(kind, MediaJobHandler(isolation, limits: limits, moderation: moderation)) }
    return handlers
  }
}
