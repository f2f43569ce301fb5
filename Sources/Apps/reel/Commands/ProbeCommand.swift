import CommandLayer
import Reelwright

/// `reel probe`: what a file is.
enum ProbeCommand {
  static var command: Command {
    Command(
      "probe", summary: "what a file is: streams, times, rotation, colour, keyframes, health",
      discussion: """
        Reads every packet, so that frame counts, keyframes and damage are found and not guessed. A folder stands for the \
        media files in it. A file that cannot be read does not stop the others; the status is that of the first failure.
        """,
      arguments: [Argument("FILE", .oneOrMore, "A media file or a folder of them.")],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel probe clip.mp4", "a summary for people"), .init("reel probe --json clips/", "all files of a folder, for a script"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let runner = try TaskRunner(invocation)
    let paths = try InputPaths.expand(invocation.list("FILE"))
    let names = paths.indices.map { "input \($0)" }
    let files = LocalFiles(inputs: Dictionary(uniqueKeysWithValues: zip(names, paths)))
    var report = ProbeReport(files: [])
    // One task a file: a worker that one file kills takes no other file with it.
    let weights = paths.map(InputPaths.weight)
    var part = BatchPart(total: weights.reduce(0, +))
    for (place, (name, path)) in zip(names, paths).enumerated() {
      part.own = weights[place]
      defer { part.before += part.own }
      do {
        report.files += try runner.run(ProbeTask(inputs: [name]), files: files, part: part).files
      } catch let error as MediaError {
        guard error.workerDeath != nil || error.code == .refused else { throw error }
        report.files.append(ProbeTask.failed(path, bytes: 0, error))
      }
    }
    try runner.writeReport(report)
    let failures = report.files.compactMap(\.error)
    if invocation.isJSON {
      try invocation.console.writeJSON(ProbeDocument(report))
    } else if invocation.value("report") != "-" {
      let texts = report.files.filter { $0.error == nil }.map(ProbeText.text)
      try invocation.console.write(texts.joined(separator: "\n"))
    }
    for failure in failures { invocation.console.note("reel: \(failure.message)\n") }
    return failures.first?.exitStatus ?? 0
  }
}
