import Encoding
import FFmpegBridge
import FileAccess
import FrameExtraction
import MediaCore
import Pipeline
import Watermark

/// A picture that stays a picture: the output is named .jpg, .png or .webp.
extension EncodeTask {
  /// The format of the picture that the output's name asks for; nil for a video or sound.
  var stillFormat: ImageFormat? {
    guard let outputExtension, let format = ImageFormat(fileName: "picture." + outputExtension), format != .ppm else { return nil }
    return format
  }

  /// Converts the one picture of the input: upright, square pixels, SDR; marked where that is asked for.
  func runStill(_ format: ImageFormat, in context: TaskContext) throws(MediaError) -> TaskReport {
    let watch = Stopwatch()
    try checkStill(format)
    var environment = context.environment()
    environment.keepsIncomplete = allowIncomplete
    let ledger = Ledger()
    let input = try context.files.openInput(self.input)
    let demuxer = try Demuxer(input, environment: environment)
    guard let stream = demuxer.streams.first(where: { $0.kind == .video && $0.codec != "none" }) else {
      throw MediaError(.damaged, "cannot encode \(input.displayName)", path: input.displayName, reason: "it has no picture")
    }
    let source = try VideoDecodeSource(input, stream: stream.index, environment: environment, ledger: ledger)
    guard let decoded = try source.next() else {
      throw MediaError(
        .damaged, "cannot encode \(input.displayName)", path: input.displayName, reason: "no picture could be decoded",
        details: environment.diagnostics.lines)
    }
    guard try source.next() == nil else {
      throw MediaError(
        .usage, "cannot write \(input.displayName) into .\(format.rawValue)", path: input.displayName,
        reason: "it has more than one picture", advice: "name the output .mp4, or take single pictures with reel frames")
    }

    let chosen = try EncodePreset.named(preset)
    let bounds = bounds ?? chosen.bounds ?? FrameSize(0, 0)
    var report = TaskReport(task: EncodeTask.kind)
    var picture = decoded
    if watermark != nil || filter != nil {
      // Marks and filters work on Y'CbCr; without subsampling nothing is lost on the way there and back.
      var shape = PictureFormat()
      shape.format = .yuv444p
      shape.bounds = bounds
      shape.userFilter = filter
      var chain: any Source<VideoFrame> = OnePicture(decoded).through(PictureConformer(shape, environment: environment))
      var marking: (stage: MarkStage, key: WatermarkKey)?
      if var watermark {
        watermark.meanPSNR = watermark.meanPSNR ?? MarkRequest.pictureMeanPSNR
        let made = try watermark.makeStage(context.files)
        marking = made
        chain = chain.through(made.stage)
      }
      guard let result = try chain.next() else {
        throw MediaError(.usage, "cannot encode \(input.displayName)", path: input.displayName, reason: "the filter gave no picture")
      }
      picture = result
      if decoded.format.hasAlpha { report.warnings.append("left out: transparency; marked and filtered pictures have none") }
      if let watermark, let marking {
        report.watermark = TaskReport.Mark(watermark.id, marking.key.id, marking.stage.statistics)
        let found = try MarkFinder(keys: [marking.key], decision: .open, effort: .direct).find(in: OnePicture(result))
        if found.marks.isEmpty {
          report.warnings.append(
            "the mark is weak in this picture (z \((found.bestZ * 10).rounded() / 10), \(MarkDecision.open.threshold) is needed): lower --psnr"
          )
        }
      }
    }
    let converter = PictureConverter(
      format.target, bounds: watermark == nil && filter == nil ? bounds : FrameSize(0, 0), environment: environment)
    let bitmap = try converter.convert(picture)
    let bytes = try ImageWriter(format, quality: format == .png ? nil : 92).encode(bitmap)
    ledger.book("encoded")
    let output = try context.files.createOutput(self.output)
    try output.write(bytes)

    report.inputs = [InputReport.make(input, environment: environment, bytesRead: source.bytesRead, frames: ledger["decoded"])]
    report.outputs = [
      TaskReport.Output(
        file: output.displayName, bytes: Int64(bytes.count), frames: 1, durationSeconds: 0, width: bitmap.size.width,
        height: bitmap.size.height, videoCodec: format.rawValue, audioCodec: nil, audioSamples: 0)
    ]
    report.warnings += InputReport.warnings(report)
    report.frames = Dictionary(uniqueKeysWithValues: ledger.accounts)
    report.timings = watch.timings
    try InputReport.requireComplete(report, allowIncomplete: allowIncomplete)
    return report
  }

  /// Refuses what a picture does not have.
  private func checkStill(_ format: ImageFormat) throws(MediaError) {
    let settings: [(String, Bool)] = [
      ("--codec", codec != nil), ("--audio", audioCodec != nil), ("--crf", crf != nil), ("--bitrate", bitRate != nil),
      ("--two-pass", twoPass == true),
      ("--fps", frameRate != nil), ("--trim", trimStart != nil || trimEnd != nil), ("--keep", !keep.isEmpty),
      ("segments", segmentSeconds != nil), ("metadata", !metadata.isEmpty),
    ]
    guard let setting = settings.first(where: \.1) else { return }
    throw MediaError(
      .usage, "cannot write a .\(format.rawValue) picture", reason: "\(setting.0) is for videos",
      advice: "leave it out, or name the output .mp4")
  }
}

/// A source of one picture.
private final class OnePicture: Source {
  private var picture: VideoFrame?

  init(_ picture: VideoFrame) { self.picture = picture }

  func next() throws(MediaError) -> VideoFrame? {
    defer { picture = nil }
    return picture
  }
}
