import CommandLayer
import FoundationEssentials
import Reelwright

/// `reel watermark variants`: many individually marked copies from two encodes.
enum WatermarkVariantsCommand {
  static var command: Command {
    Command(
      "variants", summary: "mark many copies for the price of two encodes",
      discussion: """
        Encodes twice, with a new segment every half second that each encode marks in its own way, and assembles each copy from \
        segments of both. Beside the copies stands manifest.json, which 'reel watermark detect --copies' needs to tell them apart. \
        A run that was stopped goes on with --resume.
        """,
      arguments: [Argument("IN", .one, "The video.")],
      options: [
        Option("ids", .file("FILE"), default: "none, it is needed", "One id a line, one for each copy."),
        Option("key", .file("KEY"), default: "none, it is needed", "The key file."),
        Option("out-dir", .file("DIR"), default: "none, it is needed", "The folder for the copies."),
        Option("preset", .choice(EncodePreset.videos.map(\.name)), default: "standard", "A set of output settings."),
        Option("crf", .number("N", in: 0...63), default: "that of the preset", "Quality on the encoder's own scale; lower is better."),
        Option("segment", .number("S", in: 0.25...10), default: "0.5", "Seconds a segment."),
        Option("name", .text("PATTERN"), default: "{stem}-{id}.{ext}", "Names of the copies: {id}, {index}, {stem} and {ext}."),
        .flag("resume", "Keep the folder's manifest and its finished copies and make the missing ones."),
      ],
      commonOptions: CommonOptions.task,
      examples: [.init("reel watermark variants ad.mp4 --ids creators.txt --key brand.key --out-dir copies", "a copy for each creator")],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let keyPath = try invocation.needed("key", "as in --key brand.key")
    let key = try WatermarkKey(path: keyPath)
    let ids = try WatermarkCommand.registry(try invocation.needed("ids", "as in --ids creators.txt"))
    let folder = try invocation.needed("out-dir", "as in --out-dir copies")
    let input = invocation.list("IN")[0]
    let made = try InputPaths.makeFolder(folder)
    defer { InputPaths.removeEmpty(made) }
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    var task = VariantsTask(ids: ids, outputs: ids.indices.map { "copy \($0)" })
    if let preset = invocation.value("preset") { task.encode.preset = preset }
    task.encode.crf = invocation.number("crf")
    task.encode.outputExtension = "mp4"
    task.encode.allowIncomplete = invocation.flag("allow-incomplete")
    if let seconds = invocation.number("segment") { task.segmentSeconds = seconds }
    let stem = InputPaths.stem(of: input)
    let paths = try names(of: ids, stem: stem, invocation).map { prefix + $0 }
    let manifestName = "manifest"
    let earlier = invocation.flag("resume") ? try earlierManifest(prefix + "manifest.json", ids: ids, key: key) : nil
    if let earlier {
      task.videoId = earlier.videoId
      task.segmentSeconds = earlier.segmentSeconds
      task.existing = Set(zip(ids, paths).filter { FileManager.default.fileExists(atPath: $0.1) }.map(\.0))
    }
    let missing = zip(task.outputs, ids).filter { !task.existing.contains($0.1) }
    let files = LocalFiles(
      inputs: [task.encode.input: input, task.key: keyPath],
      outputs: Dictionary(uniqueKeysWithValues: zip(task.outputs, paths)).merging([manifestName: prefix + "manifest.json"]) { $1 },
      mayReplace: invocation.flag("overwrite"))
    for name in missing.map(\.0) + (earlier == nil ? [manifestName] : []) { try files.checkOutput(name) }
    if missing.isEmpty {
      if !invocation.isQuiet { try invocation.console.write("\(folder): all \(ids.count) copies are there\n") }
      return 0
    }
    let runner = try TaskRunner(invocation)
    let result = try runner.run(task, files: files)
    // The manifest first: copies that nobody can tell apart are worth nothing.
    if let earlier {
      guard earlier == result.manifest else {
        throw MediaError(
          .usage, "cannot resume in \(folder)", path: prefix + "manifest.json", reason: "it belongs to another video or other settings",
          advice: "name an empty folder")
      }
    } else {
      try TaskRunner.write(try Console.json(result.manifest) + [0x0A], as: manifestName, to: files)
    }
    let metadata = try runner.metadata()
    for ((name, id), report) in zip(missing, result.reports) {
      try files.publish(
        name, of: task, report: report, metadata: metadata, record: try runner.record(), watermark: (id.description, key.id.description))
    }
    if invocation.isJSON {
      try invocation.console.writeJSON(result.manifest)
    } else if !invocation.isQuiet {
      try invocation.console.write(
        "\(folder): \(ids.count) copies of \(result.manifest.copies[0].bits.utf8.count) segments, at least "
          + "\(result.manifest.leastDistance) segments apart\n")
    }
    return 0
  }

  /// A name for each copy, each another one.
  private static func names(of ids: [WatermarkID], stem: String, _ invocation: Invocation) throws -> [String] {
    let pattern = try NamePattern(invocation.value("name") ?? "{stem}-{id}.{ext}")
    var taken: Set<String> = ["manifest.json"]
    return try ids.enumerated().map { index, id in
      let name = try pattern.name(["stem": stem, "id": id.description, "index": String(index + 1), "ext": "mp4"])
      guard !name.contains("/"), taken.insert(name).inserted else {
        throw MediaError(
          .usage, "cannot name the copies",
          reason: name.contains("/") ? "\(name) is in another folder" : "\(name) is the name of two files",
          advice: "put {id} or {index} into --name, and no folder")
      }
      guard InputPaths.pathExtension(of: name) == "mp4" else {
        throw MediaError(.usage, "cannot name the copies", reason: "\(name) does not end in .mp4", advice: "copies are MP4 files")
      }
      return name
    }
  }

  /// The manifest that a stopped run left, nil where there is none yet.
  private static func earlierManifest(_ path: String, ids: [WatermarkID], key: WatermarkKey) throws -> CopyManifest? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let manifest = try manifest(path)
    guard manifest.copies.map(\.id) == ids, manifest.keyId == key.id.description else {
      throw MediaError(
        .usage, "cannot resume with \(path)", path: path, reason: "it was made for other ids or another key",
        advice: "give the ids and the key of the first run")
    }
    return manifest
  }

  static func manifest(_ path: String) throws -> CopyManifest {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw MediaError(.missing, "cannot read the manifest \(path)", path: path, reason: "there is no such file")
    }
    return try TaskCoding.decode(CopyManifest.self, from: Array(data))
  }
}
