import FFmpegBridge
import FileAccess
public import FrameExtraction
public import MediaCore
import Pipeline

/// Extracts frames of one video: image files, a contact sheet, sprites with WebVTT, an animated preview, in one pass.
///
/// Image files are outputs `frames/NAME`, sprite sheets and their track `sprites/NAME`; the sheet is the output `sheet`,
/// the animation `preview`.
public struct FramesTask: MediaTask {
  public static let kind = "frames"

  /// Logical name of the input; default `in`.
  public var input = "in"
  /// Which frames; nil: as many as the sheet has places, else what suits the sprites or the preview.
  public var selection: FrameSelection?
  public var tolerance = FrameTolerance.exact
  /// Image files; nil writes none.
  public var images: Images? = Images()
  public var sheet: Sheet?
  public var sprites: Sprites?
  public var preview: Preview?
  /// The box that image files and tiles fit into; a side of 0 is free. Default: images as they are, tiles 320x320, sprites
  /// 160x160, previews 480x480.
  public var bounds = FrameSize(0, 0)
  /// Whether frames with concealed damage are written; default false.
  public var allowIncomplete = false

  public struct Images: Codable, Sendable {
    public var format = ImageFormat.jpg
    /// 1...100; nil: the format's default.
    public var quality: Int?
    /// `{stem}`, `{index}` or `{index:04}`, `{time}` (seconds of the frame itself) and `{ext}` are replaced.
    public var pattern = "{stem}-{index:04}.{ext}"
    /// What `{stem}` stands for.
    public var stem = "frame"

    public init() {}
  }

  public struct Sheet: Codable, Sendable {
    public var columns: Int
    public var rows: Int
    public var format = ImageFormat.jpg

    public init(columns: Int, rows: Int, format: ImageFormat = .jpg) {
      self.columns = columns
      self.rows = rows
      self.format = format
    }
  }

  public struct Sprites: Codable, Sendable {
    /// File name of the sheet: `sprites.jpg`; the track is `sprites.vtt`. A hundred pictures go on a sheet, more make
    /// `sprites-1.jpg`, `sprites-2.jpg` …
    public var file: String

    public init(file: String) { self.file = file }
  }

  public struct Preview: Codable, Sendable {
    public var format: AnimatedPreview.Format

    public init(format: AnimatedPreview.Format) { self.format = format }
  }

  public init() {}

  /// - Returns: one entry a frame, in ascending order of time; an item that failed has `error` set and does not stop the others.
  /// - Throws: what ends the whole task: an unreadable input, a wrong request, cancellation, a full disk.
  public func run(in context: TaskContext) throws(MediaError) -> FramesReport {
    if let images { try FramesProducts.check(images, severalFrames: false) }
    let environment = context.environment()
    let extractor = try FrameExtractor(try context.files.openInput(input), environment: environment)
    let request = FramesRequest(
      try effectiveSelection(extractor), tolerance: tolerance, workers: context.threads, allowsDamagedFrames: allowIncomplete)
    if let images { try FramesProducts.check(images, severalFrames: request.selection.maySelectSeveral) }
    let renderer = FramesRenderer(self, environment: environment)
    if let sheet, let tile = renderer.tileSize(of: extractor.stream) {
      try ContactSheet(columns: sheet.columns, rows: sheet.rows).wholeSize(tile: tile)
    }
    let span = request.selection.span(of: extractor.duration)
    let meter = FramesMeter(total: request.selection.expectedCount, span: span, handler: context.progress)
    // A search shows how far it has come between what it finds.
    let stream = try extractor.frames(
      request, examined: { meter.advance(by: 0, to: $0) }, transform: { frame throws(MediaError) in try renderer.render(frame) })
    defer { stream.stop() }
    let products = FramesProducts(self, context: context, end: extractor.duration)
    var report = FramesReport()
    while let result = try stream.next() {
      try context.cancellation.check("extracting frames")
      report.frames.append(try products.take(result))
      meter.advance(by: 1, to: result.actual)
    }
    try products.finish(&report)
    report.counters = stream.counters
    meter.finish()
    return report
  }

  private func effectiveSelection(_ extractor: FrameExtractor) throws(MediaError) -> FrameSelection {
    if let selection { return selection }
    if let sheet { return .uniform(count: sheet.columns * sheet.rows) }
    if sprites != nil {
      // About a hundred pictures, none closer than a second.
      let seconds = max(1, Int64(((extractor.duration ?? .zero).seconds / Rational(100)).floor) + 1)
      return .every(MediaTime(Rational(seconds)))
    }
    if preview != nil { return .uniform(count: 12) }
    throw MediaError(
      .usage, "cannot extract frames", reason: "nothing says which", advice: "give --at, --every, --count or another selection")
  }
}

extension FrameSelection {
  /// How many results there will be, where the selection says so.
  var expectedCount: Int? {
    switch self {
    case .positions(let positions): positions.count
    case .uniform(let count): count
    case .last: 1
    case .sharpest(let times, _): times.count
    default: nil
    }
  }

  /// The times among which the results are spread, where their number is not known; nil without an end.
  func span(of duration: MediaTime?) -> (start: MediaTime, seconds: Double)? {
    guard expectedCount == nil, let duration else { return nil }
    var (start, end) = (MediaTime.zero, duration)
    if case .range(let range) = self {
      start = max(start, range.start)
      end = min(end, range.end ?? end)
    }
    return end > start ? (start, (end - start).doubleValue) : nil
  }

  /// Whether more than one frame may come of it.
  var maySelectSeveral: Bool { expectedCount != 1 }
}
