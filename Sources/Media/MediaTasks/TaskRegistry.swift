import FoundationEssentials
public import MediaCore

/// The kinds of work by name, for those who get a task as bytes: the sandboxed worker and the job runner.
public enum TaskRegistry {
  /// The names of all kinds.
  public static var kinds: [String] { runners.keys.sorted() }

  /// Runs the task of `kind` that `payload` (JSON) describes.
  ///
  /// - Returns: its result as JSON.
  /// - Throws: `usage` when there is no such kind or the payload is not one, and whatever the task throws.
  public static func run(kind: String, payload: [UInt8], context: TaskContext) throws(MediaError) -> [UInt8] {
    guard let runner = runners[kind] else {
      throw MediaError(
        .usage, "cannot run a task", reason: "there is no kind \(kind)", advice: "use one of \(kinds.joined(separator: ", "))")
    }
    return try runner(payload, context)
  }

  /// `MediaTask.keepsStatistics` of a task as bytes.
  public static func keepsStatistics(kind: String, payload: [UInt8]) throws(MediaError) -> Bool {
    switch kind {
    case EncodeTask.kind: try TaskCoding.decode(EncodeTask.self, from: payload).keepsStatistics
    case RenderTask.kind: try TaskCoding.decode(RenderTask.self, from: payload).keepsStatistics
    case VariantsTask.kind: try TaskCoding.decode(VariantsTask.self, from: payload).keepsStatistics
    default: false
    }
  }

  private typealias Runner = @Sendable ([UInt8], TaskContext) throws(MediaError) -> [UInt8]

  private static let runners: [String: Runner] = [
    ProbeTask.kind: runner(ProbeTask.self),
    EncodeTask.kind: runner(EncodeTask.self),
    RenderTask.kind: runner(RenderTask.self),
    RenderPlanTask.kind: runner(RenderPlanTask.self),
    RenderFrameTask.kind: runner(RenderFrameTask.self),
    RenderTimelineTask.kind: runner(RenderTimelineTask.self),
    FramesTask.kind: runner(FramesTask.self),
    DetectTask.kind: runner(DetectTask.self),
    VariantsTask.kind: runner(VariantsTask.self),
  ]

  private static func runner<Task: MediaTask>(_: Task.Type) -> Runner {
    { (payload, context) throws(MediaError) in
      let task = try TaskCoding.decode(Task.self, from: payload)
      return try TaskCoding.encode(try task.run(in: context))
    }
  }
}

/// The JSON form of tasks, results and sidecars: sorted keys, no escaped slashes.
public enum TaskCoding {
  public static func encode(_ value: some Encodable, pretty: Bool = false) throws(MediaError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(value))
    } catch {
      throw MediaError(.bug, "cannot write JSON", reason: "\(error)")
    }
  }

  public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(MediaError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw MediaError(.usage, "cannot read a \(type)", reason: "\(error)")
    }
  }
}
