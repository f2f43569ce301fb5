public import Encoding
public import FileAccess
public import FrameExtraction
public import MediaCore
public import Pipeline
public import Watermark

extension Render {
  /// Composes the document as a looping animation without sound, which all fits into memory: for mails and message threads.
  ///
  /// - Parameters:
  ///   - bounds: the box that its pictures fit into; they are never enlarged.
  ///   - rate: pictures a second at most. GIF counts hundredths of a second, so that 12.5 and 25 are exact.
  ///   - mark: as for `run`.
  /// - Throws: `usage` when it would hold more than 134 million pixels.
  public func runAnimation(
    _ format: AnimatedPreview.Format, bounds: FrameSize, rate: Rational, to output: OutputFile, progress: ProgressMeter.Handler?,
    mark: MarkStage? = nil
  ) throws(MediaError) -> MediaWriter.Summary {
    try requireMark(mark)
    let meter = ProgressMeter(stage: "render", total: Int64(timeline.frameCount), handler: progress)
    let rate = min(rate, timeline.frameRate)
    let source = try RenderSource(document, timeline: timeline, color: Render.color, inputs: inputs, text: text, ledger: ledger)
    let composed = mark.map { Queue(upstream: source.through($0)) } ?? Queue(upstream: source)
    defer { composed.stop() }
    let count = max(1, (timeline.duration.seconds * rate).rounded)
    let pictures = composed.through(FrameRateStage(rate: rate, count: count))
    let converter = PictureConverter(.rgb, bounds: bounds, environment: environment)
    let animation = AnimatedPreview(format, interval: MediaTime(rate.reciprocal), environment: environment)
    var summary = MediaWriter.Summary()
    while let frame = try pictures.next() {
      let bitmap = try converter.convert(frame)
      summary.size = bitmap.size
      try animation.add(bitmap)
      summary.frames += 1
      meter.advance(by: 0, fraction: Double(summary.frames) / Double(count))
    }
    try animation.write(to: output)
    meter.finish()
    summary.videoCodec = format.rawValue
    summary.durationSeconds = Double(summary.frames) / rate.doubleValue
    summary.bytes = FileSnapshot(of: output.descriptor.rawValue)?.byteCount ?? 0
    segments = [.init(from: 0, to: timeline.frameCount, action: "encode", reason: "an animation is encoded whole")]
    if timeline.clips.contains(where: \.isAudible) || !document.audio.voice.isEmpty || !document.audio.music.isEmpty {
      notes.append("an animation has no sound")
    }
    return summary
  }
}
