import CommandLayer
import Reelwright

/// `reel render`: a video from a document.
enum RenderCommand {
  static var command: Command {
    Command(
      "render", summary: "make a video from a document",
      discussion: """
        The document names clips, pictures, transitions, overlays and sound; 'reel check' validates one. Paths in it are relative to \
        the document. OUT.m3u8 writes an HLS playlist beside OUT.mp4, OUT.gif and OUT.webp a looping preview. An OpenTimelineIO timeline (.otio) is read like one. --plan says what would be done; --frame draws one frame as an image file.
        """,
      arguments: [
        Argument("DOC", .one, "The reel document."),
        Argument("PNG", .optional, "With --frame: the picture to write, .png, .jpg, .webp or .ppm."),
      ],
      options: [
        Option("output", short: "o", .file("OUT"), default: "none; needed unless --plan or --frame is given", "The video to write."),
        Option("set", .text("NAME=VALUE"), default: "the variable's own", repeats: true, "Give a variable a value."),
        Option("preset", .choice(EncodePreset.all.map(\.name)), default: "that of the document", "A set of output settings."),
        Option("key", .file("KEY"), default: "none", "The watermark key, for a document that asks for a watermark."),
        Option("data", .file("ROWS"), default: "none", "Render one variant for each row (CSV, JSON Lines); columns are variables."),
        Option("out-dir", .text("DIR"), default: "none; needed with --data", "Where the variants go."),
        Option("name", .text("PATTERN"), default: "{stem}-{index:04}.{ext}", "Names of the variants; {row.column} is a value of the row."),
        .flag("plan", "Say what would be done, with frame counts, without doing it."),
        Option("frame", .text("T"), default: "none", "Draw the frame at this time, or that of index 45, from 0 (45f), into PNG."),
        Option("export-otio", .file("FILE"), default: "none", "Write the cut as an OpenTimelineIO timeline; renders only with -o."),
        .flag("no-cache", "Neither take pieces from the segment cache nor leave any there."),
        .flag("no-copy", "Encode every picture, also where packets of a source could be copied."),
        .flag("draft", "Fast and coarse encoding, for looking at the result."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel render ad.reel.json -o ad.mp4", "render"),
        .init("reel render ad.reel.json -o ad.mp4 --set headline=\"New in\"", "with a variable"),
        .init("reel render ad.reel.json --frame 2.5s look.png", "one frame of it"),
        .init("reel render ad.reel.json --data rows.csv --out-dir variants", "a variant for each row"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let document = try ReelFile(path: invocation.required("DOC"))
    let runner = try TaskRunner(invocation)
    if let data = invocation.value("data") { return try batch(data, document, runner) }
    for name in ["out-dir", "name"] where invocation.has(name) {
      throw MediaError(.usage, "render", reason: "--\(name) goes with --data", advice: "-o names one video")
    }
    let task = try document.task(invocation)
    if invocation.flag("plan") {
      if invocation.has("frame") {
        throw MediaError(.usage, "render", reason: "--frame does not go with --plan", advice: "leave one of them out")
      }
      return try plan(task, document, runner)
    }
    if let position = try invocation.position("frame") { return try frame(task, at: position, document, runner) }
    if let extra = invocation.argument("PNG") {
      throw MediaError(.usage, "render", reason: "'\(extra)' is one argument too many", advice: "-o names the video")
    }
    if let timeline = invocation.value("export-otio") {
      try export(task, to: timeline, document, runner)
      if !invocation.has("output") { return 0 }
    }
    let output = try invocation.needed("output", "as in -o ad.mp4")
    do {
      try finish(video(task, to: output, BatchPart(), document, runner), runner)
    } catch let error as any ReportedError {
      try? runner.writeReport(ErrorDocument(error))
      throw error
    }
    return 0
  }

  private static func export(_ task: RenderTask, to path: String, _ document: ReelFile, _ runner: TaskRunner) throws {
    let invocation = runner.invocation
    let files = LocalFiles(inputs: [:], outputs: ["timeline": path], mayReplace: invocation.flag("overwrite"))
    try files.checkOutput("timeline")
    let result = try runner.run(RenderTimelineTask(task), files: try document.files(of: task))
    try TaskRunner.write(Array(result.text.utf8), as: "timeline", to: files)
    if !result.leftOut.isEmpty, !invocation.isQuiet {
      invocation.console.note("reel: \(path): a timeline cannot carry \(result.leftOut.joined(separator: ", ")): left out\n")
    }
  }

  private static func batch(_ data: String, _ document: ReelFile, _ runner: TaskRunner) throws -> Int32 {
    let invocation = runner.invocation
    let folder = try invocation.needed("out-dir", "as in --out-dir variants")
    for name in ["plan", "frame", "output"] where invocation.has(name) {
      throw MediaError(.usage, "render", reason: "--\(name) does not go with --data", advice: "leave one of them out")
    }
    let batch = RenderBatch(invocation: invocation, document: document, runner: runner) { task, output, part in
      try video(task, to: output, part, document, runner)
    }
    return try batch.run(data: data, folder: folder)
  }

  /// Renders and publishes one video.
  private static func video(
    _ task: RenderTask, to output: String, _ part: BatchPart, _ document: ReelFile, _ runner: TaskRunner
  ) throws -> TaskReport {
    let invocation = runner.invocation
    try InputPaths.checkOutput(output)
    var task = task
    task.outputExtension = InputPaths.pathExtension(of: output)
    // A playlist stands beside the video that it plays.
    var (media, playlist): (String, String?) = (output, nil)
    if task.outputExtension == "m3u8" {
      (media, playlist) = (String(output.dropLast(4)) + "mp4", output)
      task.outputExtension = "mp4"
      task.playlist = "playlist"
      task.playlistMedia = String(media.split(separator: "/").last ?? "")
    }
    let key = try key(invocation, &task)
    let files = try document.files(of: task, output: media, mayReplace: invocation.flag("overwrite"), playlist: playlist, key: key)
    try files.checkOutput(task.output)
    if let name = task.playlist { try files.checkOutput(name) }
    let cached = try SegmentCache.files(files, of: &task, invocation)
    let report = try runner.run(task, files: cached ?? files, part: part)
    cached?.finish()
    let metadata = try task.metadata.merging(try runner.metadata()) { _, own in own }
    try files.publish(task.output, of: task, report: report, metadata: metadata, record: try runner.record())
    if let name = task.playlist { try files.publish(name, sidecar: nil) }
    return report
  }

  /// The path of the watermark key, checked, which the task then asks for; nil when none is given.
  private static func key(_ invocation: Invocation, _ task: inout RenderTask) throws(MediaError) -> String? {
    guard let key = invocation.value("key") else { return nil }
    // The owner's eyes: the task sees a descriptor only.
    _ = try WatermarkKey(path: key)
    task.key = MarkRequest.defaultKeyName
    return key
  }

  private static func plan(_ task: RenderTask, _ document: ReelFile, _ runner: TaskRunner) throws -> Int32 {
    let invocation = runner.invocation
    var task = task
    let files = try document.files(of: task)
    let cached = try SegmentCache.files(files, of: &task, invocation)
    let plan = try runner.run(RenderPlanTask(task), files: cached ?? files)
    cached?.finish()
    try runner.writeReport(plan)
    if invocation.isJSON {
      try invocation.console.writeJSON(plan)
      return 0
    }
    var table = TextTable()
    for segment in plan.segments { table.add("\(segment.from)", "..<\(segment.to)", segment.action, segment.reason) }
    var text = "\(document.path): \(plan.frames) frames, \(ProbeText.seconds(plan.durationSeconds))\n" + table.text(indent: 2)
    for line in plan.warnings + plan.notes { text += "  \(line)\n" }
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
    for name in ["output", "export-otio"] where invocation.has(name) {
      throw MediaError(.usage, "render", reason: "--\(name) does not go with --frame", advice: "leave one of them out")
    }
    try InputPaths.checkOutput(output)
    var task = task
    task.outputExtension = InputPaths.pathExtension(of: output)
    let key = try key(invocation, &task)
    let files = try document.files(of: task, output: output, mayReplace: invocation.flag("overwrite"), key: key)
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
