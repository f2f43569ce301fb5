import CommandLayer
import Reelwright

extension ReelFile {
  /// The task that renders it as the options say.
  ///
  /// - Parameter row: the values of a row of data.
  func task(_ invocation: Invocation, row: [String: String] = [:]) throws -> RenderTask {
    var values: [String: String] = [:]
    for (name, value) in try invocation.pairs("set") { values[name] = value }
    var task = try task(
      values: values, row: row, preset: invocation.has("draft") ? "draft" : invocation.has("preset") ? invocation.value("preset") : nil)
    task.allowIncomplete = invocation.flag("allow-incomplete")
    return task
  }
}
