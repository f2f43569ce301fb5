import CommandLayer
import FoundationEssentials
import Reelwright

/// `reel render --data`: one variant of a document for each row, with one progress over all of them.
///
/// A row that cannot be rendered does not stop the others. A row whose output is there already, made of the same document, values and
/// files, is not made again: a batch that was broken off goes on where it stopped.
struct RenderBatch {
  private struct Outcome: Encodable {
    var row: Int
    var line: Int
    var output: String?
    /// The output was there from an earlier run.
    var kept = false
    var report: TaskReport?
    var error: ErrorDocument.Body?
  }

  private struct Document: Encodable {
    var schema = 1
    var rows: [Outcome]
  }

  let invocation: Invocation
  let document: ReelFile
  let runner: TaskRunner
  /// Renders one variant into its output.
  let render: (RenderTask, String, BatchPart) throws -> TaskReport

  /// - Returns: the status of the first failure.
  func run(data: String, folder: String) throws -> Int32 {
    let rows = try DataRows(LocalFiles.openInput(path: data).contents(atMost: 64 << 20), name: data)
    let pattern = try NamePattern(invocation.value("name") ?? "{stem}-{index:04}.{ext}")
    let made = try InputPaths.makeFolder(folder)
    defer { InputPaths.removeEmpty(made) }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    var taken: Set<String> = []
    var outcomes: [Outcome] = []
    var firstFailure: (any ReportedError)?
    let total = Double(rows.rows.count)
    for row in rows.rows {
      var outcome = Outcome(row: row.index + 1, line: row.line)
      do {
        if let error = row.error { throw error }
        let name = try pattern.name(row.nameValues(stem: InputPaths.stem(of: document.path), fileExtension: fileExtension))
        guard taken.insert(name).inserted else {
          throw MediaError(
            .usage, "cannot name the output", reason: "line \(row.line): \(name) is the name of an earlier row, too",
            advice: "put {index} or another column into --name")
        }
        outcome.output = prefix + name
        var task = try document.task(invocation, row: row.values)
        task.outputExtension = InputPaths.pathExtension(of: name)
        if try isMade(task, prefix + name) {
          outcome.kept = true
        } else {
          let report = try render(task, prefix + name, BatchPart(before: Double(row.index), own: 1, total: total))
          outcome.report = report
          try say(report)
        }
      } catch let error as any ReportedError {
        // A cancelled batch stops at once.
        if error.exitStatus == MediaError.Code.cancelled.exitStatus { throw error }
        invocation.console.note(Tool.errorText(error, name: "reel: \(data) line \(row.line)", isVerbose: invocation.isVerbose))
        outcome.error = .init(error)
        firstFailure = firstFailure ?? error
      }
      outcomes.append(outcome)
    }
    try runner.writeReport(Document(rows: outcomes))
    if invocation.isJSON {
      try invocation.console.writeJSON(Document(rows: outcomes))
    } else if !invocation.isQuiet, invocation.value("report") != "-" {
      let (failed, kept) = (outcomes.count { $0.error != nil }, outcomes.count { $0.kept })
      try invocation.console.write(
        "\(outcomes.count) rows: \(outcomes.count - failed - kept) rendered, \(kept) there already, \(failed) failed\n")
    }
    return firstFailure?.exitStatus ?? 0
  }

  private var fileExtension: String { invocation.value("preset") == "master" ? "mov" : "mp4" }

  private func say(_ report: TaskReport) throws {
    guard !invocation.isJSON, !invocation.isQuiet, invocation.value("report") != "-", let output = report.outputs.first else { return }
    try invocation.console.write(Batch.summary(output, warnings: report.warnings))
  }

  /// Whether an output was made by this very task of files that have not changed since.
  private func isMade(_ task: RenderTask, _ path: String) throws -> Bool {
    struct Made: Decodable {
      struct Output: Decodable { var bytes: Int64 }
      struct Input: Decodable {
        var file: String
        var bytes: Int64
      }
      var output: Output
      var inputs: [Input]
      var parameters: RenderTask
    }
    guard !invocation.flag("overwrite"), let own = FileSnapshot(path: path),
      let sidecar = try? LocalFiles.openInput(path: OutputNames.sidecar(of: path)), let text = try? sidecar.contents(atMost: 64 << 20),
      var made = try? JSONDecoder().decode(Made.self, from: Data(text)), made.output.bytes == own.byteCount
    else { return false }
    // Where pieces come from does not change what they are.
    made.parameters.usesCache = task.usesCache
    made.parameters.copiesPackets = task.copiesPackets
    made.parameters.key = task.key
    guard try TaskCoding.encode(made.parameters) == TaskCoding.encode(task) else { return false }
    return made.inputs.allSatisfy { input in
      guard let now = FileSnapshot(path: input.file) else { return false }
      return now.byteCount == input.bytes && now.modifiedNanoseconds < sidecar.snapshot.modifiedNanoseconds
    }
  }
}
