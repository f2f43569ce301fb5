import CommandLayer
import Reelwright

/// `reel render`: a video from a document.
enum RenderCommand {
  static var command: Command {
    Command(
      "render", summary: "make a video from a document",
      discussion: """
        The document names clips, pictures, transitions, overlays and sound; 'reel check' validates one. Paths in it are relative to \
        the document. --plan says what would be done; --frame draws one frame as a PNG file.
        """,
      arguments: [
        Argument("DOC", .one, "The reel document."),
        Argument("PNG", .optional, "With --frame: the picture to write."),
      ],
      options: [
        Option("output", short: "o", .file("OUT"), default: "none; needed unless --plan or --frame is given", "The video to write."),
        Option("set", .text("NAME=VALUE"), default: "the variable's own", repeats: true, "Give a variable a value."),
        Option("preset", .choice(EncodePreset.all.map(\.name)), default: "that of the document", "A set of output settings."),
        Option("key", .file("KEY"), default: "none", "The watermark key, for a document that asks for a watermark."),
        .flag("plan", "Say what would be done, with frame counts, without doing it."),
        Option("frame", .text("T"), default: "none", "Draw the frame at this time, or the n-th (45f), into PNG."),
        .flag("draft", "Fast and coarse encoding, for looking at the result."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel render ad.reel.json -o ad.mp4", "render"),
        .init("reel render ad.reel.json -o ad.mp4 --set headline=\"New in\"", "with a variable"),
        .init("reel render ad.reel.json --frame 2.5s look.png", "one frame of it"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let document = try ReelFile(path: invocation.required("DOC"))
    let runner = try TaskRunner(invocation)
    var task = try document.task(invocation)
    if invocation.flag("plan") { return try plan(task, document, runner) }
    if let position = try invocation.position("frame") { return try frame(task, at: position, document, runner) }
    if let extra = invocation.argument("PNG") {
      throw MediaError(.usage, "render", reason: "'\(extra)' is one argument too many", advice: "-o names the video")
    }
    let output = try invocation.needed("output", "as in -o ad.mp4")
    task.outputExtension = InputPaths.pathExtension(of: output)
    let key = invocation.value("key")
    if let key {
      // The owner's eyes: the task sees a descriptor only.
      _ = try WatermarkKey(path: key)
      task.key = MarkRequest.defaultKeyName
    }
    let files = try document.files(of: task, output: output, mayReplace: invocation.flag("overwrite"), key: key)
    try files.checkOutput(task.output)
    let report = try runner.run(task, files: files)
    let metadata = try task.metadata.merging(try runner.metadata()) { _, own in own }
    try files.publish(task.output, of: task, report: report, metadata: metadata)
    try finish(report, runner)
    return 0
  }

  private static func plan(_ task: RenderTask, _ document: ReelFile, _ runner: TaskRunner) throws -> Int32 {
    let invocation = runner.invocation
    let plan = try runner.run(RenderPlanTask(task), files: try document.files(of: task))
    try runner.writeReport(plan)
    if invocation.isJSON {
      try invocation.console.writeJSON(plan)
      return 0
    }
    var table = TextTable()
    for segment in plan.segments { table.add("\(segment.from)", "..<\(segment.to)", segment.action, segment.reason) }
    var text = "\(document.path): \(plan.frames) frames, \(ProbeText.seconds(plan.durationSeconds))\n" + table.text(indent: 2)
    for warning in plan.warnings { text += "  \(warning)\n" }
    if invocation.value("report") != "-" { try invocation.console.write(text) }
    return 0
  }

  private static func frame(
    _ task: RenderTask, at position: TimePosition, _ document: ReelFile, _ runner: TaskRunner
  ) throws -> Int32 {
    let invocation = runner.invocation
    guard let output = invocation.argument("PNG") else {
      throw MediaError(.usage, "render", reason: "--frame needs a file to write", advice: "as in --frame 2.5s look.png")
    }
    let files = try document.files(of: task, output: output, mayReplace: invocation.flag("overwrite"))
    try files.checkOutput(task.output)
    let report = try runner.run(RenderFrameTask(task, at: position), files: files)
    try files.publish(task.output, sidecar: nil)
    try finish(report, runner)
    return 0
  }

  private static func finish(_ report: TaskReport, _ runner: TaskRunner) throws {
    try runner.writeReport(report)
    let invocation = runner.invocation
    if invocation.isJSON {
      try invocation.console.writeJSON(report)
    } else if !invocation.isQuiet, invocation.value("report") != "-", let output = report.outputs.first {
      try invocation.console.write(Batch.summary(output, warnings: report.warnings))
    }
  }
}
