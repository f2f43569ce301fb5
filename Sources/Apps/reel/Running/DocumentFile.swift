import CommandLayer
import FoundationEssentials
import Reelwright

/// A reel document on disk: its text, and the files that it names by paths relative to its folder.
struct DocumentFile {
  let path: String
  let text: String

  /// Documents are written by people; anything larger is a mistake.
  private static let maximumBytes: Int64 = 16 << 20

  init(path: String) throws {
    self.path = path
    let input = try LocalFiles.openInput(path: path)
    guard input.snapshot.byteCount <= DocumentFile.maximumBytes else {
      throw MediaError(
        .usage, "cannot read \(path)", path: path, reason: "it is larger than 16 MiB", advice: "name a reel document, not a media file")
    }
    do {
      text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    } catch {
      throw MediaError(.io, "cannot read \(path)", path: path, reason: "\(error)")
    }
  }

  /// The task that renders it as the options say.
  func task(_ invocation: Invocation) throws -> RenderTask {
    var task = RenderTask(document: text, documentName: path)
    for (name, value) in try invocation.pairs("set") { task.values[name] = value }
    task.preset = invocation.has("draft") ? "draft" : invocation.has("preset") ? invocation.value("preset") : nil
    task.allowIncomplete = invocation.flag("allow-incomplete")
    try task.useSystemFonts { name in
      (try? Data(contentsOf: URL(fileURLWithPath: resolve(name)))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    return task
  }

  /// The files of a task, the output where there is one, and the watermark key.
  func files(of task: RenderTask, output: String? = nil, mayReplace: Bool = false, key: String? = nil) throws -> LocalFiles {
    let names = try task.references
    var paths = names.map { ($0, resolve($0)) }
    if let name = task.key, let key { paths.insert((name, key), at: 0) }
    return LocalFiles(
      inputs: Dictionary(paths, uniquingKeysWith: { first, _ in first }), outputs: output.map { [task.output: $0] } ?? [:],
      mayReplace: mayReplace)
  }

  /// A path of the document as this process sees it.
  private func resolve(_ name: String) -> String {
    guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
    return String(path[...slash]) + name
  }
}
