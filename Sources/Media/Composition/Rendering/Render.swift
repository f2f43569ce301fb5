public import Encoding
public import FFmpegBridge
public import FileAccess
public import MediaCore
public import Pipeline

/// The rendering of one document: planned first, then run once.
public final class Render {
  public let document: ReelDocument
  public let timeline: Timeline
  public let inputs: RenderInputs
  public let ledger = Ledger()
  private let environment: MediaEnvironment
  /// What every picture of the canvas is described as.
  public static let color = ColorTags.bt709

  /// Opens everything that the document names and lays it out.
  ///
  /// - Throws: `usage` at a place in the document, `missing` and `damaged` for its media, `unavailable` for what cannot be rendered.
  public init(_ document: ReelDocument, files: any Files, environment: MediaEnvironment) throws(MediaError) {
    try RenderSupport.check(document)
    let inputs = RenderInputs(document, files: files, environment: environment)
    timeline = try Timeline(document) { (reference) throws(MediaError) in try inputs.entry(reference).facts }
    for reference in document.references { _ = try inputs.entry(reference) }
    self.document = document
    self.inputs = inputs
    self.environment = environment
  }

  /// Composes, encodes and packs the whole document into `output`.
  public func run(settings: Encoding.OutputSettings, to output: OutputFile, progress: ProgressMeter.Handler?) throws(MediaError)
    -> MediaWriter.Summary
  {
    let source = try RenderSource(document, timeline: timeline, color: Render.color, inputs: inputs, ledger: ledger)
    let composed = Queue(upstream: source)
    defer { composed.stop() }
    let audio = try AudioMixSource.make(
      document, timeline: timeline, inputs: inputs, sampleRate: settings.audioSampleRate, cancellation: environment.cancellation)
    let sound = audio.map { Queue(bounds: .init(elements: 64), upstream: $0) }
    defer { sound?.stop() }
    var writer = MediaWriter(settings: settings, environment: environment, ledger: ledger)
    writer.frameRate = document.canvas.frameRate
    writer.expectedDuration = timeline.duration
    writer.meter = ProgressMeter(stage: "render", total: Int64(timeline.frameCount), handler: progress)
    let summary = try writer.write(video: composed, audio: sound, to: output)
    ledger.book("planned", Int64(timeline.frameCount))
    try ledger.reconcile("cannot render \(output.displayName)", given: ["planned"], taken: ["composed"])
    try ledger.reconcile("cannot render \(output.displayName)", given: ["composed"], taken: ["muxed"])
    return summary
  }

  /// The picture at a frame of the output, composed without encoding.
  public func picture(at frame: Int) throws(MediaError) -> VideoFrame {
    guard frame >= 0, frame < timeline.frameCount else {
      throw MediaError(.usage, "cannot draw frame \(frame)", reason: "the document has \(timeline.frameCount) frames")
    }
    let source = try RenderSource(document, timeline: timeline, color: Render.color, inputs: inputs, ledger: Ledger())
    for _ in 0..<frame { _ = try source.next() }
    guard let picture = try source.next() else {
      throw MediaError(.bug, "cannot draw frame \(frame)", reason: "the composition ended early")
    }
    return picture
  }
}
