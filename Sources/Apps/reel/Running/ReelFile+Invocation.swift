import CommandLayer
import Reelwright

extension ReelFile {
  /// The task that renders it as the options say.
  func task(_ invocation: Invocation) throws -> RenderTask {
    var values: [String: String] = [:]
    for (name, value) in try invocation.pairs("set") { values[name] = value }
    var task = try task(
      values: values, preset: invocation.has("draft") ? "draft" : invocation.has("preset") ? invocation.value("preset") : nil)
    task.allowIncomplete = invocation.flag("allow-incomplete")
    return task
  }
}
