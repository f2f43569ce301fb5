import CommandLayer
import Reelwright

/// `reel encode`: convert files.
enum EncodeCommand {
  static var command: Command {
    Command(
      "encode", summary: "convert files to clean, widely playable ones",
      discussion: """
        Unless told otherwise: keeps the frame rate (a variable one stays variable), turns the picture upright, makes samples \
        square, deinterlaces, maps HDR to SDR BT.709, writes 8-bit 4:2:0 in limited range with colour tags, keeps the first \
        video and the default audio track (AAC stereo, 48 kHz), chapters, title and language, and leaves out all other tracks and \
        metadata. What is left out is named in the report. --keep changes each.

        The name of the output decides the container. A name that ends in .jpg, .png or .webp makes a picture of a picture.

        With several inputs or a folder, -o is a folder and each output is named after its input. A failed item does not stop the \
        others; the status is that of the first failure.
        """,
      arguments: [Argument("IN", .oneOrMore, "A media file or a folder of them.")],
      options: [
        Option("output", short: "o", .file("OUT|DIR"), default: "none, it is needed", "The file to write, or the folder for several."),
        Option("preset", .choice(EncodePreset.videos.map(\.name)), default: "standard", "A set of output settings."),
        Option(
          "codec", .text((VideoCodec.all.map(\.name) + ["copy"]).joined(separator: "|")), default: "that of the preset",
          "The video codec, the name of a hardware encoder, or copy: the packets as they are, from the keyframe before a trim on."),
        Option(
          "audio", .choice(OutputSettings.audioCodecs.map(\.name) + ["copy"]), default: "that of the preset or container",
          "The audio codec, or copy: the packets as they are."),
        Option("crf", .number("N", in: 0...63), default: "that of the preset", "Quality on the encoder's own scale; lower is better."),
        Option("bitrate", .text("R"), default: "none, quality decides", "Bits a second instead of a quality: 5M, 800k."),
        .flag("two-pass", "Spread the bit rate in two passes over all pictures (h264, hevc, vp9)."),
        Option("speed", .choice(VideoCodec.speeds), default: "that of the preset", "How much time the encoder takes."),
        Option("size", .text("WxH"), default: "that of the source", "Fit inside: 1280x720, 1280x or x720."),
        Option("fps", .text("R"), default: "that of the source", "A constant frame rate: 30, 30000/1001."),
        Option("trim", .text("A..B"), default: "all", "Only this part; B is exclusive."),
        Option("watermark-id", .text("ID"), default: "none, no mark", "Mark the picture with this id; needs --key."),
        Option("key", .file("KEY"), default: "none", "The watermark key file."),
        Option("filter", .text("GRAPH"), default: "none", "A libavfilter graph for the picture: eq=contrast=1.1."),
        Option(
          "keep", .choice(EncodeTask.Keep.allCases.map(\.rawValue)), default: "none", repeats: true,
          "Keep what is changed or left out by default; those that begin with no- leave out more."),
      ],
      commonOptions: CommonOptions.task,
      examples: [
        .init("reel encode clip.mov -o clip.mp4", "a web-ready file"),
        .init("reel encode clips/ -o out/ --preset tiktok", "a folder of files for TikTok"),
        .init("reel encode talk.mkv -o part.mp4 --trim 1:30..2:00 --size x720", "half a minute of it, 720 lines high"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let output = try invocation.needed("output", "as in -o out.mp4")
    var task = try task(invocation)
    let key = try WatermarkCommand.request(invocation)
    task.watermark = key?.request
    return try Batch(invocation).run(
      inputs: try InputPaths.expand(invocation.list("IN")), output: output, defaultExtension: extensionOf(task)
    ) {
      item, runner, part in
      task.outputExtension = InputPaths.pathExtension(of: item.output)
      let files = LocalFiles(
        inputs: [task.input: item.input].merging(key.map { [$0.request.key: $0.path] } ?? [:]) { $1 }, outputs: [task.output: item.output],
        mayReplace: invocation.flag("overwrite"))
      try files.checkOutput(task.output)
      let report = try runner.run(task, files: files, part: part)
      try files.publish(
        task.output, of: task, report: report, metadata: try runner.metadata(), record: try runner.record(),
        watermark: key.map { ($0.request.id.description, $0.keyId) }
      )
      return report
    }
  }

  private static func task(_ invocation: Invocation) throws -> EncodeTask {
    var task = EncodeTask()
    if let preset = invocation.value("preset") { task.preset = preset }
    task.codec = invocation.value("codec")
    task.audioCodec = invocation.value("audio")
    task.crf = invocation.number("crf")
    task.bitRate = try invocation.value("bitrate").map { text throws(MediaError) in try Values.bitRate(text, option: "bitrate") }
    if task.crf != nil && task.bitRate != nil {
      throw MediaError(.usage, "encode", reason: "--crf and --bitrate exclude each other", advice: "give one of them")
    }
    if invocation.flag("two-pass") { task.twoPass = true }
    task.speed = invocation.value("speed")
    task.bounds = try invocation.value("size").map { text throws(MediaError) in try Values.size(text, option: "size") }
    task.frameRate = try invocation.value("fps").map { text throws(MediaError) in try Values.frameRate(text, option: "fps") }
    if let text = invocation.value("trim") { (task.trimStart, task.trimEnd) = try Values.range(text, option: "trim") }
    task.filter = invocation.value("filter")
    task.keep = Set(invocation.values("keep").compactMap(EncodeTask.Keep.init))
    task.allowIncomplete = invocation.flag("allow-incomplete")
    return task
  }

  /// The extension of outputs that are named after their inputs.
  private static func extensionOf(_ task: EncodeTask) throws -> String {
    if let codec = task.codec, codec != "copy" { return try VideoCodec.named(codec).containers[0] }
    return try EncodePreset.named(task.preset).container
  }
}
