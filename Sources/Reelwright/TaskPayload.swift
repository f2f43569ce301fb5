import FoundationEssentials
public import MediaCore
import MediaTasks
import PositionedJSON

/// The payload of a media job as people write it: what a task has a default for may be left out, and what it does not
/// know is refused.
public enum TaskPayload {
  /// The whole payload of a task of `kind`.
  ///
  /// - Throws: `usage` with line and column where it is not JSON; naming the member that is unknown, missing or of a wrong
  ///   type. A kind that is no media task's is passed on as it is.
  public static func complete(kind: String, _ payload: [UInt8]) throws(MediaError) -> [UInt8] {
    guard let shape = shapes[kind] else { return payload }
    // A job may leave its payload out.
    let given = try JSONParser.parse(payload.isEmpty ? Array("{}".utf8) : payload, source: JSONSource("payload"))
    guard given.asObject != nil else { throw given.error("the payload of \(kind) is an object") }
    let defaults = try JSONParser.parse(try shape.defaults(), source: JSONSource("defaults"))
    let whole = merge(given, defaults, shape)
    let bytes = Array(whole.text(indent: nil).utf8)
    let read = try JSONParser.parse(try shape.reread(bytes), source: JSONSource("payload"))
    try refuseUnknown(given, read)
    return bytes
  }

  private struct Shape: Sendable {
    /// A task with every default.
    var defaults: @Sendable () throws(MediaError) -> [UInt8]
    /// Members of `defaults` that are no defaults: whoever writes a payload gives them.
    var required: Set<String> = []
    /// Members that are structs of the same kind: completed member by member.
    var nested: Set<String> = []
    /// Decodes and encodes again.
    var reread: @Sendable ([UInt8]) throws(MediaError) -> [UInt8]

    init<Task: MediaTask>(_ task: Task, required: Set<String> = [], nested: Set<String> = []) {
      defaults = { () throws(MediaError) in try TaskCoding.encode(task) }
      self.required = required
      self.nested = nested
      reread = { (bytes) throws(MediaError) in
        do {
          return try TaskCoding.encode(try JSONDecoder().decode(Task.self, from: Data(bytes)))
        } catch let error as DecodingError {
          throw MediaError(.usage, "cannot read the payload of \(Task.kind)", reason: TaskPayload.reason(error))
        } catch {
          throw MediaError(.usage, "cannot read the payload of \(Task.kind)", reason: "\(error)")
        }
      }
    }
  }

  private static let shapes: [String: Shape] = {
    let render = RenderTask(document: "", documentName: "")
    return [
      ProbeTask.kind: Shape(ProbeTask(inputs: []), required: ["inputs"]),
      EncodeTask.kind: Shape(EncodeTask()),
      RenderTask.kind: Shape(render, required: ["document", "documentName"]),
      RenderPlanTask.kind: Shape(RenderPlanTask(render), required: ["document", "documentName"], nested: ["render"]),
      RenderFrameTask.kind: Shape(
        RenderFrameTask(render, at: .frame(0)), required: ["document", "documentName", "position"], nested: ["render"]),
      FramesTask.kind: Shape(FramesTask(), nested: ["images"]),
      DetectTask.kind: Shape(DetectTask(inputs: []), required: ["inputs"]),
      VariantsTask.kind: Shape(VariantsTask(ids: [], outputs: []), required: ["ids", "outputs"], nested: ["encode"]),
    ]
  }()

  private static func merge(_ given: JSONNode, _ defaults: JSONNode, _ shape: Shape) -> JSON {
    guard let own = given.asObject, let plain = defaults.asObject else { return JSON(given.value) }
    var members: [(String, JSON)] = []
    for (key, node) in own {
      let base = shape.nested.contains(key) ? plain.first { $0.key == key }?.node : nil
      members.append((key, base.map { merge(node, $0, shape) } ?? JSON(node.value)))
    }
    for (key, node) in plain where !own.contains(where: { $0.key == key }) && !shape.required.contains(key) {
      // A nested struct is there only with all that it requires.
      let isIncomplete = shape.nested.contains(key) && (node.asObject ?? []).contains { shape.required.contains($0.key) }
      if !isIncomplete { members.append((key, JSON(node.value))) }
    }
    return .object(members)
  }

  /// What was given and does not come back is nothing that the task knows.
  private static func refuseUnknown(_ given: JSONNode, _ read: JSONNode) throws(MediaError) {
    guard let own = given.asObject, let known = read.asObject else { return }
    for (key, node) in own {
      guard let same = known.first(where: { $0.key == key })?.node else {
        if case .null = node.value.content { continue }
        throw node.error("there is no member \(key) here")
      }
      try refuseUnknown(node, same)
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context, _ last: String? = nil) -> String {
      let names = context.codingPath.map(\.stringValue) + (last.map { [$0] } ?? [])
      return names.isEmpty ? "it" : names.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
    case .typeMismatch(let type, let context): return "\(place(context)) is not of type \(type)"
    case .valueNotFound(_, let context): return "\(place(context)) is null"
    case .dataCorrupted(let context): return "\(place(context)): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }
}
