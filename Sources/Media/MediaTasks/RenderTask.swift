public import Composition
import Encoding
import FFmpegBridge
import FileAccess
import FrameExtraction
public import MediaCore
import Pipeline
import PositionedJSON
import Text
import Watermark

/// Renders a reel document into one file.
///
/// The document travels as text; the files that it names are asked for by the names that it uses. `references(of:)` tells
/// whoever supplies them which ones there are.
public struct RenderTask: MediaTask {
  public static let kind = "render"

  /// The document's text (JSON).
  public var document: String
  /// What messages call it: its path as the user wrote it.
  public var documentName: String
  /// Values of its variables (`--set`).
  public var values: [String: String] = [:]
  /// Values that may go unused: the columns of a data row.
  public var rowValues: [String: String] = [:]
  /// Overrides the document's preset.
  public var preset: String?
  /// Decides the container where it names one.
  public var outputExtension: String?
  /// Logical name of the output. Default `"output"`.
  public var output = "output"
  /// Logical name of an HLS playlist that is written beside the video, which is in fragments then; nil: none. Default nil.
  public var playlist: String?
  /// How the playlist calls the video: a path relative to its own place.
  public var playlistMedia: String?
  /// Logical name of the watermark key, for a document that asks for a watermark; nil: there is none.
  public var key: String?
  /// Names of the font files for its text, for isolated processes, which cannot see those of the system. Default none.
  public var fonts: [String] = []
  /// Take pieces from the segment cache and leave new ones there; needs files with a cache. Default off: whoever runs the task knows
  /// whether there is one.
  public var usesCache = false
  /// Copy packets of sources where they can stand in the output as they are. Default on.
  public var copiesPackets = true
  /// Render what there is of damaged or incomplete inputs.
  public var allowIncomplete = false

  public init(document: String, documentName: String) {
    self.document = document
    self.documentName = documentName
  }

  /// By the word alone: the document is read by the process that runs the task.
  public var keepsStatistics: Bool { document.contains("twoPass") }

  /// The names of the files that the document needs, in its order; paths relative to its folder as written.
  public var references: [String] {
    get throws(MediaError) { try parsed().references.map(\.name) + fonts }
  }

  /// What the document carries for the sidecar (prompts, generator …): nested values as JSON text.
  public var metadata: [String: String] {
    get throws(MediaError) {
      var result: [String: String] = [:]
      for (key, value) in try parsed().metadata {
        if case .string(let text) = value { result[key] = text } else { result[key] = value.text(indent: nil) }
      }
      return result
    }
  }

  /// Sets `fonts` to the files of this machine that draw the document's labels and captions; `captionText` is the content of the captions
  /// file, where the document names one. Needs file access.
  public mutating func useSystemFonts(captionText: (String) -> String) throws(MediaError) {
    let document = try parsed()
    guard let captions = document.captions else {
      if !document.labels.isEmpty { fonts = SystemFonts.files(for: document.labels, families: document.fontFamilies).paths }
      return
    }
    let text = document.labels + captionText(captions.file.name)
    // A style may write in capitals.
    fonts = SystemFonts.files(for: text + text.uppercased(), families: document.fontFamilies).paths
  }

  func parsed() throws(MediaError) -> ReelDocument {
    try ReelDocument(
      parsing: Array(document.utf8), source: JSONSource(documentName),
      options: ReelDocument.Options(values: values, rowValues: rowValues, preset: preset))
  }

  func prepared(in context: TaskContext) throws(MediaError) -> Render {
    var environment = context.environment()
    environment.keepsIncomplete = allowIncomplete
    return try Render(try parsed(), files: context.files, environment: environment, fonts: fonts)
  }

  func settings(of render: Render, _ context: TaskContext) throws(MediaError) -> Encoding.OutputSettings {
    var preset = try EncodePreset(for: render.document.output, named: preset)
    if playlist != nil { preset.isFragmented = true }
    var settings = try OutputSettings(preset: preset, outputExtension: outputExtension)
    settings.threads = context.threads
    return settings
  }

  /// The animation that is to be made instead of a video; nil for a video.
  func animation(of document: ReelDocument) throws(MediaError) -> (format: AnimatedPreview.Format, preset: EncodePreset)? {
    let preset = try EncodePreset(for: document.output, named: preset)
    let named = outputExtension.flatMap { AnimatedPreview.Format(rawValue: $0) }
    guard preset.isAnimation, playlist == nil else {
      guard let named else { return nil }
      return (named, try EncodePreset.named(named.rawValue))
    }
    guard outputExtension == nil || named != nil, let format = named ?? AnimatedPreview.Format(rawValue: preset.codec) else {
      throw MediaError(
        .usage, "cannot write \(preset.name) into .\(outputExtension ?? "")", reason: "that container does not hold it",
        advice: "name the output .\(preset.container), or use another preset")
    }
    return (format, preset)
  }

  var reuse: Render.Reuse { Render.Reuse(cache: usesCache, copies: copiesPackets) }

  public func run(in context: TaskContext) throws(MediaError) -> TaskReport {
    let watch = Stopwatch()
    let render = try prepared(in: context)
    let animation = try animation(of: render.document)
    let settings = animation == nil ? try settings(of: render, context) : nil
    var mark: (stage: MarkStage, key: WatermarkKey)?
    var firstPassMark: MarkStage?
    if let wanted = render.document.watermark, let key {
      var request = MarkRequest(id: WatermarkID(wanted.id), meanPSNR: wanted.psnr?.doubleValue)
      request.key = key
      mark = try request.makeStage(context.files)
      if settings?.preset.isTwoPass == true { firstPassMark = try request.makeStage(context.files).stage }
    }
    let output = try context.files.createOutput(self.output)
    var summary = MediaWriter.Summary()
    if let animation {
      summary = try render.runAnimation(
        animation.format, bounds: animation.preset.bounds ?? render.document.canvas.size,
        rate: animation.preset.maximumFrameRate ?? render.timeline.frameRate, to: output, progress: context.progress, mark: mark?.stage)
    } else if let settings {
      summary = try render.run(
        settings: settings, to: output, reuse: reuse, progress: context.progress, mark: mark?.stage, firstPassMark: firstPassMark)
    }

    if let playlist {
      let list = try context.files.createOutput(playlist)
      let text = try HLSPlaylist.text(
        of: output, name: playlistMedia ?? output.displayName, duration: render.timeline.duration.doubleValue)
      try list.write(Array(text.utf8))
    }
    var report = TaskReport(task: RenderTask.kind)
    report.inputs = render.inputs.opened.map { entry in
      InputReport.make(
        entry.input, environment: entry.environment, bytesRead: entry.environment.use?.bytesRead ?? 0,
        frames: entry.environment.use?.framesDecoded ?? 0)
    }
    report.outputs = [InputReport.output(output.displayName, summary)]
    report.warnings = render.warnings + InputReport.warnings(report)
    report.segments = render.segments
    report.notes = render.notes
    report.frames = Dictionary(uniqueKeysWithValues: render.ledger.accounts)
    report.timings = watch.timings
    if let wanted = render.document.watermark, let mark {
      let statistics = mark.stage.statistics
      report.watermark = TaskReport.Mark(WatermarkID(wanted.id), mark.key.id, statistics)
      if let warning = MarkRequest.warning(pictures: statistics.pictures, seconds: summary.durationSeconds) {
        report.warnings.append(warning)
      }
    }
    try InputReport.requireComplete(report, allowIncomplete: allowIncomplete)
    return report
  }
}

/// Lays a document out and says what a render of it would do, without doing it: `render --plan`, `check`.
public struct RenderPlanTask: MediaTask {
  public static let kind = "render-plan"

  public var render: RenderTask

  public init(_ render: RenderTask) { self.render = render }

  public func run(in context: TaskContext) throws(MediaError) -> RenderPlan {
    let meter = ProgressMeter(stage: "plan", total: nil, handler: context.progress)
    meter.begin()
    let plan = try plan(in: context)
    meter.finish()
    return plan
  }

  private func plan(in context: TaskContext) throws(MediaError) -> RenderPlan {
    let prepared = try render.prepared(in: context)
    // What a render would refuse late is refused here, too.
    if try render.animation(of: prepared.document) != nil { return prepared.unsegmentedPlan("an animation is encoded whole") }
    return try prepared.plan(settings: render.settings(of: prepared, context), reuse: render.reuse)
  }
}

/// Draws one frame of a document as an image file: `render --frame`. The render's output extension says which: jpg, webp, ppm, or PNG
/// where it is nil or empty.
public struct RenderFrameTask: MediaTask {
  public static let kind = "render-frame"

  public var render: RenderTask
  public var position: TimePosition

  public init(_ render: RenderTask, at position: TimePosition) {
    self.render = render
    self.position = position
  }

  public func run(in context: TaskContext) throws(MediaError) -> TaskReport {
    let watch = Stopwatch()
    let format = try format
    let prepared = try render.prepared(in: context)
    var mark: MarkStage?
    if let wanted = prepared.document.watermark, let key = render.key {
      var request = MarkRequest(id: WatermarkID(wanted.id), meanPSNR: wanted.psnr?.doubleValue ?? MarkRequest.pictureMeanPSNR)
      request.key = key
      mark = try request.makeStage(context.files).stage
    }
    let picture = try prepared.picture(at: index(in: prepared), mark: mark)
    let output = try context.files.createOutput(render.output)
    let bytes = try encoded(picture, format, environment: context.environment())
    try output.write(bytes)
    var report = TaskReport(task: RenderFrameTask.kind)
    report.outputs = [
      TaskReport.Output(
        file: output.displayName, bytes: Int64(bytes.count), frames: 1, durationSeconds: 0, width: picture.size.width,
        height: picture.size.height, videoCodec: format == .jpg ? "mjpeg" : format.rawValue, audioCodec: nil, audioSamples: 0)
    ]
    report.warnings = prepared.warnings
    report.timings = watch.timings
    return report
  }

  /// The frame that is shown at the position.
  private func index(in prepared: Render) throws(MediaError) -> Int {
    let timeline = prepared.timeline
    let (index, wanted) =
      switch position {
      case .frame(let number): (Int64(number), "frame \(number)")
      case .time(let time): ((time.seconds * timeline.frameRate).floor, "\(time)")
      }
    guard index >= 0, index < timeline.frameCount else {
      throw MediaError(
        .usage, "cannot draw a frame of \(prepared.document.source.name)",
        reason: index < 0 ? "\(wanted) is before its start" : "\(wanted) is beyond its end",
        advice: "it lasts \(timeline.duration); its last frame is \(timeline.frameCount - 1)f")
    }
    return Int(index)
  }

  private var format: ImageFormat {
    get throws(MediaError) {
      guard let name = render.outputExtension, !name.isEmpty else { return .png }
      if let format = ImageFormat(fileName: "." + name) { return format }
      throw MediaError(
        .usage, "cannot draw a frame into .\(name)", reason: "that is no image format of reel", advice: "use .png, .jpg, .webp or .ppm")
    }
  }

  private func encoded(_ picture: VideoFrame, _ format: ImageFormat, environment: MediaEnvironment) throws(MediaError) -> [UInt8] {
    if format == .png { return try StillEncoder.png(picture, environment: environment) }
    return try ImageWriter(format).encode(try PictureConverter(format.target, environment: environment).convert(picture))
  }
}

/// Writes the cut of a document as an OpenTimelineIO timeline: `render --export-otio`.
public struct RenderTimelineTask: MediaTask {
  public static let kind = "render-timeline"

  public var render: RenderTask

  public struct Result: Codable, Sendable {
    /// The timeline (JSON).
    public var text: String
    /// Parts of the document that a timeline cannot carry.
    public var leftOut: [String]
  }

  public init(_ render: RenderTask) { self.render = render }

  public func run(in context: TaskContext) throws(MediaError) -> Result {
    let prepared = try render.prepared(in: context)
    return Result(text: try prepared.otio(), leftOut: prepared.otioLeftOut)
  }
}
