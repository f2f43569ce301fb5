internal import Composition
public import FileAccess
public import MediaCore
public import MediaTasks

/// A reel document on disk, or an OpenTimelineIO timeline that is read like one: its text, and the files that it names by paths relative to its folder.
///
///     let reel = try ReelFile(path: "ad.reel.json")
///     var task = try reel.task(values: ["headline": "New in"])
///     let files = try reel.files(of: task, output: "ad.mp4")
///     let report = try await task.perform(in: TaskContext(files: files))
///     try files.publish(task.output, of: task, report: report)
public struct ReelFile: Sendable {
  /// The path as it was given; messages use it.
  public let path: String
  /// The document as written (JSON); of a timeline, what it means as a document.
  public let text: String

  /// Documents are written by people; anything larger is a mistake.
  private static let maximumBytes = 16 << 20

  /// What errors in `text` call it: the lines of a timeline are not those of the document that it means.
  private let documentName: String

  /// Reads the document; it is parsed by the task.
  ///
  /// - Throws: `missing` when there is none, `refused` above 16 MiB; `usage` and `unavailable` for a timeline that cannot be shown.
  public init(path: String) throws(MediaError) {
    self.path = path
    let written = String(decoding: try LocalFiles.openInput(path: path).contents(atMost: ReelFile.maximumBytes), as: UTF8.self)
    let isTimeline = OTIOReader.recognises(written)
    text = isTimeline ? try OTIOReader.document(written, name: path) : written
    documentName = isTimeline ? "\(path) (as a document)" : path
  }

  /// The task that renders it, with this machine's fonts for its labels and captions.
  ///
  /// - Parameters:
  ///   - values: of its variables, by name. Default: their own.
  ///   - row: values that may go unused: the columns of a row of data. Default: none.
  ///   - preset: a set of output settings. Default: the document's.
  /// - Throws: the document's errors, each with line, column and place.
  public func task(
    values: [String: String] = [:], row: [String: String] = [:], preset: String? = nil
  ) throws(MediaError) -> RenderTask {
    var task = RenderTask(document: text, documentName: documentName)
    task.values = values
    task.rowValues = row
    task.preset = preset
    try task.useSystemFonts { name in
      // Captions that cannot be read are the render's to report.
      guard let input = try? LocalFiles.openInput(path: resolve(name)), let bytes = try? input.contents(atMost: ReelFile.maximumBytes)
      else { return "" }
      return String(decoding: bytes, as: UTF8.self)
    }
    return task
  }

  /// The files of a task of this document.
  ///
  /// - Parameters:
  ///   - output: the final path of the video. Default: none, for a plan.
  ///   - mayReplace: whether a file at that path may be replaced. Default false.
  ///   - playlist: the final path of the HLS playlist, where the task names one. Default: none.
  ///   - key: the path of the watermark key, where the task names one. Default: none.
  public func files(
    of task: RenderTask, output: String? = nil, mayReplace: Bool = false, playlist: String? = nil, key: String? = nil
  ) throws(MediaError) -> LocalFiles {
    var paths = try task.references.map { ($0, resolve($0)) }
    if let name = task.key, let key { paths.insert((name, key), at: 0) }
    var outputs = output.map { [task.output: $0] } ?? [:]
    if let name = task.playlist, let playlist { outputs[name] = playlist }
    return LocalFiles(
      inputs: Dictionary(paths, uniquingKeysWith: { first, _ in first }), outputs: outputs, mayReplace: mayReplace)
  }

  /// A path of the document as this process sees it.
  private func resolve(_ name: String) -> String {
    guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
    return String(path[...slash]) + name
  }
}
