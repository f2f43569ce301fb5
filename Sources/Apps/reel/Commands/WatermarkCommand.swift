import CommandLayer
import FoundationEssentials
import Reelwright

/// `reel watermark`: keys, marking, finding.
enum WatermarkCommand {
  static var command: Command {
    Command(
      "watermark", summary: "invisible tracking marks: make keys, mark videos, find marks",
      discussion: """
        A mark is a 64-bit id in the picture that nobody sees and that survives re-encoding, scaling, cropping and mirroring. Only \
        who has the key can find it. Keys are files that their owner alone can read; they are never printed or logged.
        """,
      subcommands: [keygen, embed, detect, WatermarkVariantsCommand.command])
  }

  private static var keygen: Command {
    Command(
      "keygen", summary: "make a key",
      discussion: "Writes 128 random bits to a new file with mode 0600. Back it up: marks cannot be found without it.",
      options: [Option("output", short: "o", .file("KEY"), default: "none, it is needed", "The key file to write; never replaced.")],
      commonOptions: CommonOptions.console,
      examples: [.init("reel watermark keygen -o brand.key", "a new key")],
      action: { invocation in
        let path = try invocation.needed("output", "as in -o brand.key")
        let key = WatermarkKey.generate()
        try key.create(at: path)
        if invocation.isJSON {
          try invocation.console.writeJSON(NewKey(file: path, keyId: key.id.description))
        } else if !invocation.isQuiet {
          try invocation.console.write("\(path): key \(key.id)\n")
        }
        return 0
      })
  }

  private struct NewKey: Encodable {
    var schema = 1
    var file: String
    var keyId: String
  }

  private static var embed: Command {
    Command(
      "embed", summary: "mark videos and encode them",
      discussion: """
        Encodes like 'reel encode' and marks the picture just before. The report states the luma PSNR of the change. With several \
        inputs or a folder, -o is a folder; pictures stay pictures there.
        """,
      arguments: [Argument("IN", .oneOrMore, "A video, an image, or a folder of them.")],
      options: [
        Option("output", short: "o", .file("OUT|DIR"), default: "none, it is needed", "The file to write, or the folder for several."),
        Option("id", .text("ID"), default: "none, it or --creator is needed", "64 bits: 16 hex digits or a decimal number."),
        Option(
          "creator", .text("CREATOR"), default: "none", "Instead of --id: a new id of this creator for each output (reel creators)."),
        storeOption,
        Option("key", .file("KEY"), default: "none, it is needed", "The key file."),
        Option("psnr", .number("DB", in: 38...60), default: "44.2, of pictures 42", "Least mean luma PSNR of the change."),
        Option("preset", .choice(EncodePreset.videos.map(\.name)), default: "standard", "A set of output settings."),
        Option("crf", .number("N", in: 0...63), default: "that of the preset", "Quality on the encoder's own scale; lower is better."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel watermark embed ad.mp4 -o marked.mp4 --id 1000 --key brand.key", "one marked copy"),
        .init("reel watermark embed photo.jpg -o marked.jpg --id 1000 --key brand.key", "a marked picture"),
      ],
      action: runEmbed)
  }

  private static var storeOption: Option {
    Option(
      "store", .text("URL"), default: "$XDG_STATE_HOME/reelwright/jobs.sqlite",
      "The store of --creator and --creators: a path or sqlite: URL of an SQLite database, or postgresql://…")
  }

  private static func runEmbed(_ invocation: Invocation) throws -> Int32 {
    let output = try invocation.needed("output", "as in -o marked.mp4")
    let creator = invocation.value("creator")
    if creator != nil, invocation.value("id") != nil {
      throw MediaError(.usage, invocation.commandLine, reason: "--id and --creator exclude each other", advice: "give one of them")
    }
    let fixed = creator == nil ? try id(try invocation.needed("id", "as in --id 1000, or --creator")) : nil
    let creators = creator == nil ? nil : CreatorRegistry(try Store.log(invocation))
    let keyPath = try invocation.needed("key", "as in --key brand.key")
    let key = try WatermarkKey(path: keyPath)
    var task = EncodeTask()
    if let preset = invocation.value("preset") { task.preset = preset }
    task.crf = invocation.number("crf")
    task.allowIncomplete = invocation.flag("allow-incomplete")
    return try Batch(invocation).run(
      inputs: try InputPaths.expand(invocation.list("IN")), output: output, defaultExtension: try EncodePreset.named(task.preset).container,
      keepsPictures: true
    ) { item, runner, part in
      task.outputExtension = InputPaths.pathExtension(of: item.output)
      let files = LocalFiles(
        inputs: [task.input: item.input, MarkRequest.defaultKeyName: keyPath], outputs: [task.output: item.output],
        mayReplace: invocation.flag("overwrite"))
      try files.checkOutput(task.output)
      // Every output of a creator has an id of its own.
      var id = fixed ?? WatermarkID(0)
      if let creator, let creators {
        id = WatermarkID(try creators.makeMark(for: creator, project: invocation.value("project") ?? "default"))
      }
      task.watermark = MarkRequest(id: id, meanPSNR: invocation.number("psnr"))
      let report = try runner.run(task, files: files, part: part)
      let digest = try files.publish(
        task.output, of: task, report: report, metadata: try runner.metadata(), record: try runner.record(),
        watermark: (id.description, key.id.description))
      try creators?.bind(id.value, output: digest)
      return report
    }
  }

  private static var detect: Command {
    Command(
      "detect", summary: "find marks in videos",
      discussion: """
        Needs the key, not the original. Every answer comes with a proven bound on the chance of a false positive. --registry and \
        --expect restrict the ids that count, which finds weaker marks. A registry is a text file with one id a line.
        """,
      arguments: [Argument("IN", .oneOrMore, "A video, an image, or a folder of them.")],
      options: [
        Option("key", .file("KEY"), default: "none, it is needed", repeats: true, "A key file; several are tried."),
        Option("registry", .file("FILE"), default: "none, any id counts", "Only the ids of this file count."),
        Option("expect", .text("ID"), default: "none, any id counts", "Only this id counts."),
        .flag(
          "creators", "Only ids of creators who are enrolled count (reel creators); names the creator of each mark and logs the detection."),
        storeOption,
        Option("copies", .file("FILE"), default: "none", "The manifest of 'reel watermark variants': also name the individual copy."),
        .flag("direct", "Only look for whole pictures: scaled, mirrored, turned. Fast."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel watermark detect copy.mp4 --key brand.key", "whose copy is it?"),
        .init("reel watermark detect found/ --key a.key --key b.key --json", "many files, two keys, for a script"),
      ],
      action: runDetect)
  }

  private static func runDetect(_ invocation: Invocation) throws -> Int32 {
    let runner = try TaskRunner(invocation)
    let paths = try InputPaths.expand(invocation.list("IN"))
    let keyPaths = invocation.values("key")
    guard !keyPaths.isEmpty else {
      throw MediaError(.usage, invocation.commandLine, reason: "--key is missing", advice: "as in --key brand.key")
    }
    // The owner's eyes: a task sees descriptors only.
    for path in keyPaths { _ = try WatermarkKey(path: path) }
    let decisions = [invocation.value("registry") != nil, invocation.value("expect") != nil, invocation.flag("creators")]
    if decisions.filter({ $0 }).count > 1 {
      throw MediaError(
        .usage, invocation.commandLine, reason: "--registry, --expect and --creators exclude each other", advice: "give one of them")
    }
    let creators = invocation.flag("creators") ? try Store.existingLog(invocation).map { CreatorRegistry($0) } : nil
    var task = DetectTask(inputs: paths.indices.map { "input \($0)" })
    task.keys = keyPaths.indices.map { "key \($0)" }
    task.expect = try invocation.value("expect").map(id)
    task.registry = try invocation.value("registry").map(registry)
    if invocation.flag("creators") {
      let ids = try creators?.marks().compactMap { WatermarkID($0.watermark) } ?? []
      guard !ids.isEmpty else {
        throw MediaError(
          .missing, "cannot search for marks of creators", reason: "the registry has no id", advice: "reel creators mark gives one")
      }
      task.registry = ids
    }
    task.copies = try invocation.value("copies").map(WatermarkVariantsCommand.manifest)
    task.isDirectOnly = invocation.flag("direct")
    task.allowIncomplete = invocation.flag("allow-incomplete")
    let inputs = Dictionary(uniqueKeysWithValues: zip(task.inputs + task.keys, paths + keyPaths))
    var report = try runner.run(task, files: LocalFiles(inputs: inputs))
    if let creators { try name(creators, in: &report) }
    try runner.writeReport(report)
    let failures = report.files.compactMap(\.error)
    if invocation.isJSON {
      try invocation.console.writeJSON(report)
    } else if invocation.value("report") != "-" {
      try invocation.console.write(report.files.filter { $0.error == nil }.map(text).joined())
    }
    for failure in failures { invocation.console.note("reel: \(failure.message)\n") }
    return failures.first?.exitStatus ?? 0
  }

  /// Writes the creator of each mark into the report, and the detection into the log.
  private static func name(_ creators: CreatorRegistry, in report: inout DetectReport) throws {
    for file in report.files.indices {
      for mark in report.files[file].marks.indices {
        let found = report.files[file].marks[mark]
        guard let id = WatermarkID(found.id), let owner = try creators.who(id.value) else { continue }
        report.files[file].marks[mark].creator = owner.creator
        try creators.recordDetection(
          id.value, confidence: Int64(found.z * 1000), log10FalsePositive: Int64(found.log10FalsePositive * 1000))
      }
    }
  }

  private static func text(_ file: DetectReport.File) -> String {
    if file.marks.isEmpty {
      return "\(file.file): no mark in \(ProbeText.seconds(file.secondsSearched))\(file.advice.map { "; \($0)" } ?? "")\n"
    }
    return file.marks.map { mark in
      let ranges = mark.ranges.map { "\(ProbeText.seconds($0[0])) to \(ProbeText.seconds($0[1]))" }.joined(separator: ", ")
      let bound = Int(mark.log10FalsePositive.rounded(.up))
      return
        "\(file.file): id \(mark.id)\(mark.creator.map { " of \($0)" } ?? "")\(copies(mark)), key \(mark.keyId), false with less than 10^\(bound), \(ranges)\n"
    }.joined()
  }

  /// The copies that a mark names: alone, or each with its stretch of time.
  private static func copies(_ mark: DetectReport.Mark) -> String {
    if mark.copies.count == 1 { return ", copy \(mark.copies[0].id)" }
    return mark.copies.map { ", copy \($0.id) from \(ProbeText.seconds($0.range[0])) to \(ProbeText.seconds($0.range[1]))" }.joined()
  }

  /// The mark that --watermark-id and --key of `encode` ask for.
  static func request(_ invocation: Invocation) throws -> (request: MarkRequest, path: String, keyId: String)? {
    guard let text = invocation.value("watermark-id") else {
      guard invocation.has("key") else { return nil }
      throw MediaError(
        .usage, invocation.commandLine, reason: "--key marks nothing by itself, and nothing unmarked leaves",
        advice: "add --watermark-id ID")
    }
    guard let path = invocation.value("key") else {
      throw MediaError(
        .usage, invocation.commandLine, reason: "--watermark-id needs a key, and nothing unmarked leaves", advice: "add --key brand.key")
    }
    return (MarkRequest(id: try id(text)), path, try WatermarkKey(path: path).id.description)
  }

  private static func id(_ text: String) throws(MediaError) -> WatermarkID {
    guard let id = WatermarkID(text) else {
      throw MediaError(
        .usage, "bad id", reason: "'\(text)' is not a 64-bit id", advice: "16 hex digits, or a decimal number below 2^64")
    }
    return id
  }

  static func registry(_ path: String) throws -> [WatermarkID] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw MediaError(.missing, "cannot read the registry \(path)", path: path, reason: "there is no such file")
    }
    var ids: [WatermarkID] = []
    for (number, line) in String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard let word = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," || $0 == "\r" }).first, !word.hasPrefix("#") else {
        continue
      }
      guard let id = WatermarkID(word) else {
        throw MediaError(
          .usage, "cannot read the registry \(path)", path: path, reason: "line \(number + 1): '\(word)' is not a 64-bit id")
      }
      ids.append(id)
    }
    return ids
  }
}
