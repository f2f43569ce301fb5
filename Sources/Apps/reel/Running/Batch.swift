import CommandLayer
import FoundationEssentials
import Reelwright

/// Many inputs, one output each: names, one progress over all, failures that do not stop the rest.
struct Batch {
  struct Item {
    let input: String
    let output: String
  }

  private struct Outcome: Encodable {
    var input: String
    var output: String
    var report: TaskReport?
    var error: ErrorDocument.Body?
  }

  private struct Document: Encodable {
    var schema = 1
    var files: [Outcome]
  }

  private struct Reports: Encodable {
    var schema = 1
    var reports: [TaskReport]
    /// Inputs that failed, with the output that was not made.
    var failures: [Outcome]
  }

  let invocation: Invocation

  init(_ invocation: Invocation) { self.invocation = invocation }

  /// Runs `work` for every input and returns the exit status: that of the first failure.
  ///
  /// - Parameters:
  ///   - output: A file for one input; a folder for several, for the files of a folder, or when it exists as one or ends with a slash.
  ///   - defaultExtension: Of outputs named after their inputs.
  ///   - keepsPictures: Whether outputs named after pictures are pictures.
  func run(
    inputs: [String], output: String, defaultExtension: String, keepsPictures: Bool = false,
    work: (Item, TaskRunner, BatchPart) throws -> TaskReport
  ) throws -> Int32 {
    let runner = try TaskRunner(invocation)
    let folders = try makeFolder(for: inputs, output)
    defer { InputPaths.removeEmpty(folders.made) }
    let items = try self.items(inputs, output: output, isFolder: folders.isFolder) { input in
      (keepsPictures ? Batch.pictureExtensions[InputPaths.pathExtension(of: input)] : nil) ?? defaultExtension
    }
    let weights = inputs.map(InputPaths.weight)
    let total = weights.reduce(0, +)
    var before = 0.0
    var outcomes: [Outcome] = []
    var firstFailure: (any Error)?
    for (item, weight) in zip(items, weights) {
      do {
        let report = try work(item, runner, BatchPart(before: before, own: weight, total: total))
        outcomes.append(Outcome(input: item.input, output: item.output, report: report, error: nil))
        try say(report, item)
      } catch let error as any ReportedError {
        // One input: the tool prints it. A cancelled batch stops at once.
        if items.count == 1 || error.exitStatus == MediaError.Code.cancelled.exitStatus {
          try? runner.writeReport(ErrorDocument(error))
          throw error
        }
        invocation.console.note(Tool.errorText(error, name: "reel", isVerbose: invocation.isVerbose))
        outcomes.append(Outcome(input: item.input, output: item.output, report: nil, error: .init(error)))
        firstFailure = firstFailure ?? error
      }
      before += weight
    }
    let reports = outcomes.compactMap(\.report)
    if items.count == 1, let only = reports.first {
      try runner.writeReport(only)
    } else {
      try runner.writeReport(Reports(reports: reports, failures: outcomes.filter { $0.error != nil }))
    }
    if invocation.isJSON { try invocation.console.writeJSON(Document(files: outcomes)) }
    return (firstFailure as? any ReportedError)?.exitStatus ?? 0
  }

  /// What pictures of a kind are written as.
  private static let pictureExtensions = [
    "jpg": "jpg", "jpeg": "jpg", "png": "png", "webp": "webp", "heic": "jpg", "avif": "jpg", "bmp": "png", "tif": "png", "tiff": "png",
  ]

  /// Makes the folder for the outputs, where there has to be one.
  private func makeFolder(for inputs: [String], _ output: String) throws -> (isFolder: Bool, made: [String]) {
    try InputPaths.checkOutput(output)
    let isFolder = output.hasSuffix("/") || InputPaths.isFolder(output) || invocation.list("IN").contains(where: InputPaths.isFolder)
    if inputs.count == 1 && !isFolder { return (false, []) }
    if !InputPaths.isFolder(output), FileManager.default.fileExists(atPath: output) {
      throw MediaError(
        .exists, "cannot write to \(output)", path: output,
        reason: inputs.count == 1 ? "it is a file and the input is a folder" : "it is a file and there are \(inputs.count) inputs",
        advice: "name a folder")
    }
    return (true, try InputPaths.makeFolder(output))
  }

  private func items(_ inputs: [String], output: String, isFolder: Bool, extensionOf: (String) -> String) throws -> [Item] {
    guard isFolder else { return [Item(input: inputs[0], output: output)] }
    var taken: Set<String> = []
    return inputs.map { input in
      let stem = InputPaths.stem(of: input)
      var name = stem
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(stem)-\(number)"
        number += 1
      }
      return Item(input: input, output: (output.hasSuffix("/") ? output : output + "/") + name + "." + extensionOf(input))
    }
  }

  private func say(_ report: TaskReport, _ item: Item) throws {
    guard !invocation.isJSON, !invocation.isQuiet, invocation.value("report") != "-", let output = report.outputs.first else { return }
    try invocation.console.write(Batch.summary(output, warnings: report.warnings))
  }

  /// One line on an output, and its warnings below it.
  static func summary(_ output: TaskReport.Output, warnings: [String]) -> String {
    var parts: [String] = []
    if let width = output.width, let height = output.height { parts.append("\(width)x\(height)") }
    parts += [output.videoCodec, output.audioCodec].compactMap(\.self)
    parts += ["\(output.frames) frames", ProbeText.seconds(output.durationSeconds), ProbeText.bytes(output.bytes)]
    var lines = "\(output.file): \(parts.joined(separator: ", "))\n"
    for warning in warnings { lines += "  \(warning)\n" }
    return lines
  }
}
