public import Encoding
public import FFmpegBridge
public import FileAccess
import Glibc
public import MediaCore
public import Pipeline
import PositionedJSON
public import Watermark

/// The rendering of one document: planned first, then run once.
public final class Render {
  public let document: ReelDocument
  public let timeline: Timeline
  public let inputs: RenderInputs
  public let ledger = Ledger()
  let environment: MediaEnvironment
  let files: any Files
  let text: DocumentText?
  /// What every picture of the canvas is described as.
  public static let color = ColorTags.bt709

  /// Opens everything that the document names and lays it out.
  ///
  /// `fonts` names font files that `files` supplies, for processes that cannot see the system's; with none the system's are used.
  ///
  /// - Throws: `usage` at a place in the document, `missing` and `damaged` for its media, `unavailable` for what cannot be rendered.
  public init(_ document: ReelDocument, files: any Files, environment: MediaEnvironment, fonts: [String] = []) throws(MediaError) {
    try document.requireFiles(files)
    let inputs = RenderInputs(document, files: files, environment: environment)
    timeline = try Timeline(document) { (reference) throws(MediaError) in try inputs.entry(reference).facts }
    for reference in document.mediaReferences { _ = try inputs.entry(reference) }
    text = try DocumentText.make(document, timeline: timeline, color: Render.color, files: files, fonts: fonts)
    self.document = document
    self.inputs = inputs
    self.environment = environment
    self.files = files
  }

  /// What is odd but not wrong; after a run with the characters that no font had.
  public var warnings: [String] { document.warnings + timeline.warnings + (text?.warnings ?? []) + cacheWarnings }
  var cacheWarnings: [String] = []
  /// How the pieces of the last run were made; one piece after a run that encoded everything in one go.
  public internal(set) var segments: [RenderPlan.Segment] = []
  /// Why what could have been copied was encoded.
  public internal(set) var notes: [String] = []

  /// Composes, encodes and packs the whole document into `output`.
  ///
  /// - Parameters:
  ///   - reuse: what need not be encoded again. Default everything.
  ///   - mark: puts the document's watermark into every picture. A document that asks for one throws `usage` without.
  ///   - firstPassMark: the same for the first of two passes, where there are two. Default none: the bit rate is spread as without a mark.
  public func run(
    settings: Encoding.OutputSettings, to output: OutputFile, reuse: Reuse = Reuse(), progress: ProgressMeter.Handler?,
    mark: MarkStage? = nil, firstPassMark: MarkStage? = nil
  ) throws(MediaError) -> MediaWriter.Summary {
    try requireMark(mark)
    let meter = ProgressMeter(
      stage: "render", total: Int64(timeline.frameCount), share: settings.preset.isTwoPass ? 0.5...1 : 0...1, handler: progress)
    let (layout, reason) = try layout(settings: settings, reuse: reuse, isMarked: mark != nil)
    if let layout { return try assemble(layout, settings: settings, to: output, meter: meter) }
    segments = [.init(from: 0, to: timeline.frameCount, action: "encode", reason: reason)]
    var writer = MediaWriter(settings: settings, environment: environment, ledger: ledger)
    writer.frameRate = document.canvas.frameRate
    writer.expectedDuration = timeline.duration
    if settings.preset.isTwoPass {
      // Opened anew: damage is to be booked once.
      let again = RenderInputs(document, files: files, environment: environment)
      for reference in document.mediaReferences { _ = try again.entry(reference) }
      writer.meter = ProgressMeter(stage: "first pass", total: Int64(timeline.frameCount), share: 0...0.5, handler: progress)
      let pictures = try composed(firstPassMark, inputs: again, ledger: Ledger())
      defer { pictures.stop() }
      try writer.learn(from: pictures)
    }
    let composed = try composed(mark, inputs: inputs, ledger: ledger)
    defer { composed.stop() }
    let sound = try sound(sampleRate: settings.audioSampleRate).map { (source) in Queue(bounds: .init(elements: 64), upstream: source) }
    defer { sound?.stop() }
    writer.meter = meter
    let summary = try writer.write(video: composed, audio: sound, to: output)
    ledger.book("planned", Int64(timeline.frameCount))
    try ledger.reconcile("cannot render \(output.displayName)", given: ["planned"], taken: ["composed"])
    try ledger.reconcile("cannot render \(output.displayName)", given: ["composed"], taken: ["muxed"])
    return summary
  }

  /// All pictures, made on a thread of their own.
  private func composed(_ mark: MarkStage?, inputs: RenderInputs, ledger: Ledger) throws(MediaError) -> Queue<VideoFrame> {
    let source = try RenderSource(document, timeline: timeline, color: Render.color, inputs: inputs, text: text, ledger: ledger)
    let bounds = Queue<VideoFrame>.Bounds(elements: 2)
    return mark.map { Queue(bounds: bounds, upstream: source.through($0)) } ?? Queue(bounds: bounds, upstream: source)
  }

  /// Nothing unmarked leaves that a document wants marked.
  func requireMark(_ mark: MarkStage?) throws(MediaError) {
    if let wanted = document.watermark, mark == nil {
      throw MediaError(
        .usage, "cannot render \(document.source.name)",
        reason: "\(wanted.place.position): it asks for a watermark and there is no key, and nothing unmarked leaves",
        advice: "add --key brand.key, or leave out the watermark")
    }
  }

  /// The mix, at the document's loudness where it gives one: mixed to measure it, then again to be encoded.
  func sound(sampleRate: Int) throws(MediaError) -> (any Source<AudioBlock>)? {
    func mix() throws(MediaError) -> AudioMixSource? {
      try AudioMixSource.make(
        document, timeline: timeline, inputs: inputs, sampleRate: sampleRate, cancellation: environment.cancellation)
    }
    guard let source = try mix() else { return nil }
    // AAC adds about a decibel of overshoot to a full-scale mix, sample peaks miss another half between samples.
    let ceiling = pow(10, (document.audio.truePeak.doubleValue - 1) / 20)
    guard let target = document.audio.loudness?.doubleValue else {
      return PeakLimiter(source, gain: 1, ceiling: 1, channels: 2, sampleRate: sampleRate)
    }
    var gain = 1.0
    // What the limiter takes away is made up for by the next round; two are enough unless the target is very loud.
    for _ in 0..<6 {
      guard let measured = try mix() else { break }
      let limited = PeakLimiter(measured, gain: gain, ceiling: ceiling, channels: 2, sampleRate: sampleRate)
      var meter = try LoudnessMeter(channels: 2, sampleRate: sampleRate)
      while let block = try limited.next() { meter.add(block) }
      guard let loudness = meter.loudness else { break }
      gain *= pow(10, (target - loudness) / 20)
      if abs(target - loudness) < 0.1 { break }
    }
    return PeakLimiter(source, gain: gain, ceiling: ceiling, channels: 2, sampleRate: sampleRate)
  }

  /// The picture at a frame of the output, composed without encoding.
  ///
  /// - Parameter mark: puts the document's watermark into it. A document that asks for one throws `usage` without.
  public func picture(at frame: Int, mark: MarkStage? = nil) throws(MediaError) -> VideoFrame {
    try requireMark(mark)
    guard frame >= 0, frame < timeline.frameCount else {
      throw MediaError(.usage, "cannot draw frame \(frame)", reason: "the document has \(timeline.frameCount) frames")
    }
    let source = try RenderSource(
      document, timeline: timeline, frames: frame..<frame + 1, color: Render.color, inputs: inputs, text: text, ledger: Ledger())
    let pictures: any Source<VideoFrame> = mark.map { source.through($0) } ?? source
    guard let picture = try pictures.next() else {
      throw MediaError(.bug, "cannot draw frame \(frame)", reason: "the composition ended early")
    }
    return picture
  }
}
