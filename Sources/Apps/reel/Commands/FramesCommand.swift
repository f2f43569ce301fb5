import CommandLayer
import Reelwright

/// `reel frames`: pictures of a video.
enum FramesCommand {
  static var command: Command {
    Command(
      "frames", summary: "extract frames: images, contact sheets, sprites, previews",
      discussion: """
        The frame at a time is the last one that starts at or before it, on variable-frame-rate and cut files too; before the \
        first frame it is the first, after the end the last (and the report says so). Pictures are upright, with square pixels; \
        HDR is mapped to SDR. Only what is needed is read and decoded.

        Exactly one selection is needed, unless a sheet, sprites or a preview stand for one. Image files go to -o, which is the \
        current folder when nothing else is asked for. An item that fails does not stop the others; the status is that of the \
        first failure.
        """,
      arguments: [Argument("FILE", .one, "A video, an animation or an image.")],
      options: [
        Option("at", .text("T,T…"), default: "none", "At these times or frame numbers: 1.5,00:01:02, 45f (the frame of index 45, from 0)."),
        Option("every", .text("D"), default: "none", "At 0, D, 2D … before the end."),
        Option("count", .integer("N", in: 1...1_000_000), default: "none", "In the middle of N equal parts of the duration."),
        Option("indices", .text("I,I…"), default: "none", "These frames in presentation order, the first is 0."),
        Option("range", .text("A..B"), default: "none", "Every frame that starts within; B is exclusive."),
        .flag("keyframes", "Every keyframe."),
        .flag("scenes", "The first frame of every scene after the first."),
        .flag("last", "The last frame."),
        Option("sharpest", .text("T,T…"), default: "none", "The sharpest frame that is not black within half a second of each time."),
        Option("tolerance", .text("exact|keyframe|D"), default: "exact", "Take the keyframe before, or one nearer than D, for less work."),
        Option("max-size", .text("WxH"), default: "that of the video", "Fit inside: 640x360, 640x or x360. Never enlarged."),
        Option(
          "format", .choice(ImageFormat.allCases.map(\.rawValue)), default: "that of the extension of --name, else jpg",
          "Of the image files."),
        Option("quality", .integer("Q", in: 1...100), default: "85 for jpg, 80 for webp", "Of jpg and webp."),
        Option("output", short: "o", .directory("DIR"), default: "the current folder", "Where image files go; made when missing."),
        Option(
          "name", .text("PATTERN"), default: "{stem}-{index:04}.{ext}",
          "Names of the image files, from {stem}, {index}, {index:04}, {time} and {ext}."),
        Option("sheet", .text("CxR"), default: "none", "A contact sheet of C columns and R rows with time labels."),
        Option("sheet-out", .file("FILE"), default: "sheet.jpg", "Where the sheet goes; its extension says how."),
        Option("sprites", .file("FILE"), default: "none", "A sprite sheet with a WebVTT track beside it, for players."),
        Option("preview", .file("FILE.gif|.webp"), default: "none", "A short looping animation of the frames."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel frames clip.mp4 --at 1.5,00:01:02 -o stills/", "two exact frames"),
        .init("reel frames talk.mp4 --sheet 5x5 --sheet-out sheet.jpg", "a contact sheet of 25 frames"),
        .init("reel frames film.mp4 --every 10 --sprites thumbs.jpg", "scrubbing thumbnails and thumbs.vtt"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let runner = try TaskRunner(invocation)
    let path = invocation.required("FILE")
    var task = FramesTask()
    task.selection = try FrameOptions.selection(invocation)
    task.tolerance = try FrameOptions.tolerance(invocation)
    task.allowIncomplete = invocation.flag("allow-incomplete")
    if let text = invocation.value("max-size") { task.bounds = try Values.size(text, option: "max-size") }

    var outputs: [String: String] = [:]
    var folders: [String: String] = [:]
    if let text = invocation.value("sheet") {
      let size = try FrameOptions.tiles(text)
      let file = invocation.value("sheet-out") ?? "sheet.jpg"
      task.sheet = FramesTask.Sheet(columns: size.width, rows: size.height, format: try FrameOptions.imageFormat(file, "sheet-out"))
      outputs["sheet"] = file
    } else if invocation.has("sheet-out") {
      throw MediaError(.usage, "bad option --sheet-out", reason: "no sheet is asked for", advice: "add --sheet, as in --sheet 5x5")
    }
    if let file = invocation.value("sprites") {
      _ = try FrameOptions.imageFormat(file, "sprites")
      task.sprites = FramesTask.Sprites(file: InputPaths.name(of: file))
      folders["sprites"] = folder(of: file)
    }
    if let file = invocation.value("preview") {
      guard let format = AnimatedPreview.Format(fileName: file) else {
        throw MediaError(.usage, "bad option --preview", reason: "'\(file)' names no animation", advice: "use .gif or .webp")
      }
      task.preview = FramesTask.Preview(format: format)
      outputs["preview"] = file
    }
    let hasProducts = !outputs.isEmpty || !folders.isEmpty
    if let folder = invocation.value("output") ?? (hasProducts ? nil : ".") {
      folders["frames"] = folder
      task.images = try FrameOptions.images(invocation, stem: InputPaths.stem(of: path))
    } else {
      task.images = nil
      for name in ["name", "format", "quality"] where invocation.has(name) {
        throw MediaError(.usage, "bad option --\(name)", reason: "no image files are asked for", advice: "say where they go, as in -o DIR")
      }
    }

    let mayReplace = invocation.flag("overwrite")
    try checkOutputs(outputs, sprites: invocation.value("sprites"), mayReplace: mayReplace)
    let files = LocalFiles(inputs: [task.input: path], outputs: outputs, folders: folders, mayReplace: mayReplace)
    let made = try folders["frames"].map { try InputPaths.makeFolder($0) } ?? []
    // A run that wrote nothing leaves no folder either.
    defer { InputPaths.removeEmpty(made) }
    for name in folders.keys.sorted() { try InputPaths.checkWritable(folders[name] ?? ".") }
    var report = try runner.run(task, files: files)
    for name in files.pendingOutputs { try files.publish(name, sidecar: nil) }
    locate(&report, folders, outputs)
    try runner.writeReport(report)
    try say(report, invocation)
    return report.frames.compactMap(\.error).first?.exitStatus ?? 0
  }

  /// Refuses outputs that exist already, or that are one file, before any work is done for them.
  private static func checkOutputs(_ outputs: [String: String], sprites: String?, mayReplace: Bool) throws {
    var paths = outputs
    if let sprites {
      paths["sprites"] = sprites
      paths["sprite track"] = String(sprites.prefix(sprites.count - InputPaths.pathExtension(of: sprites).count)) + "vtt"
    }
    let files = LocalFiles(inputs: [:], outputs: paths, mayReplace: mayReplace)
    var seen: [(name: String, path: String)] = []
    for (name, path) in paths.sorted(by: { $0.key < $1.key }) {
      defer { seen.append((name, path)) }
      if let other = seen.first(where: { InputPaths.areSame($0.path, path) })?.name {
        throw MediaError(
          .usage, "cannot create \(path)", path: path, reason: "it is asked for as \(other) and as \(name)", advice: "use another name")
      }
      try files.checkOutput(name)
    }
  }

  /// Replaces the names that the task knows by the paths of the files.
  private static func locate(_ report: inout FramesReport, _ folders: [String: String], _ outputs: [String: String]) {
    func path(_ file: String, in folder: String) -> String {
      folder == "." ? file : folder.hasSuffix("/") ? folder + file : folder + "/" + file
    }
    for place in report.frames.indices {
      if let file = report.frames[place].file { report.frames[place].file = path(file, in: folders["frames"] ?? ".") }
    }
    report.products = report.products.map { name in
      outputs[name] ?? path(InputPaths.name(of: name), in: folders["sprites"] ?? ".")
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func say(_ report: FramesReport, _ invocation: Invocation) throws {
    for error in report.frames.compactMap(\.error) { invocation.console.note("reel: \(error.message)\n") }
    if invocation.isJSON {
      try invocation.console.writeJSON(report)
      return
    }
    guard !invocation.isQuiet, invocation.value("report") != "-" else { return }
    var text = ""
    for frame in report.frames {
      guard let file = frame.file, let actual = frame.actual else { continue }
      let note = frame.placement == "beyondEnd" ? ", the last frame" : frame.placement == "beforeStart" ? ", the first frame" : ""
      text += "\(file): \(MediaTime(seconds: actual))\(note)\n"
    }
    for name in report.products { text += "\(name)\n" }
    for warning in report.warnings { text += "  \(warning)\n" }
    try invocation.console.write(text)
  }
}
