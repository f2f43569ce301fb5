import FFmpegBridge
import FileAccess
import MediaCore
import Text

/// What a document writes over its pictures: labels and captions, with the fonts that they need. One thread at a time.
final class DocumentText {
  let captions: CaptionTrack?
  private let style: TextStyle
  private let color: ColorTags
  private let canvas: FrameSize
  private let fonts: [String]
  private let usesSystemFonts: Bool
  private let files: any Files
  private var started: TextRenderer?
  private var shown: (key: Int, image: OverlayImage, x: Int, y: Int)?

  /// nil when the document has no text. `fonts` are names of font files; with none the system's are used.
  static func make(
    _ document: ReelDocument, timeline: Timeline, color: ColorTags, files: any Files, fonts: [String]
  ) throws(MediaError) -> DocumentText? {
    guard document.captions != nil || document.overlays.contains(where: \.isText) else { return nil }
    return try DocumentText(document, timeline: timeline, color: color, files: files, fonts: fonts)
  }

  private init(
    _ document: ReelDocument, timeline: Timeline, color: ColorTags, files: any Files, fonts: [String]
  ) throws(MediaError) {
    self.color = color
    canvas = document.canvas.size
    self.fonts = document.fonts.map(\.name) + fonts
    self.files = files
    usesSystemFonts = fonts.isEmpty
    style = document.captions?.style ?? TextStyle()
    guard let captions = document.captions else {
      self.captions = nil
      return
    }
    let file = try CaptionFile(captions.file.open(files).contents(atMost: DocumentText.maximumBytes), name: captions.file.name)
    self.captions = CaptionTrack(
      file, style: captions.style, offset: captions.offset, frameRate: timeline.frameRate, frameCount: timeline.frameCount)
  }

  /// Started when the first text is drawn: fonts take time to load, and pieces without new text need none.
  func renderer() throws(MediaError) -> TextRenderer {
    if let started { return started }
    var loaded: [FontFile] = []
    for name in fonts { loaded.append(FontFile(name: name, bytes: try files.openInput(name).contents(atMost: DocumentText.maximumBytes))) }
    let renderer = try TextRenderer(canvas: canvas, fonts: loaded, usesSystemFonts: usesSystemFonts)
    started = renderer
    return renderer
  }

  /// The files that letters come from; those of the system are not among them when it looks for fonts itself.
  var fontNames: [String] { fonts }

  /// What could not be drawn as written.
  var warnings: [String] { (captions?.warnings ?? []) + (started?.warnings ?? []) }

  /// Draws the caption of an output frame.
  func drawCaption(at frame: Int, on target: inout MutableFrame, blender: FrameBlender) throws(MediaError) {
    guard let captions, let picture = captions.picture(at: frame, renderer: try renderer()) else { return }
    if shown?.key != picture.key {
      let bitmap = picture.bitmap
      shown = (picture.key, OverlayImage(rgba: bitmap.rgba, size: bitmap.size, tags: color), bitmap.x, bitmap.y)
    }
    guard let shown else { return }
    blender.overlay(shown.image, x: shown.x, y: shown.y, opacity: 1, into: &target)
  }

  /// Whether a frame has a caption.
  func hasCaption(at frame: Int) throws(MediaError) -> Bool {
    guard let captions else { return false }
    if let ranges = captions.ranges, !ranges.contains(where: { $0.contains(frame) }) { return false }
    return captions.picture(at: frame, renderer: try renderer()) != nil
  }

  /// Caption and font files are small; more is a mistake.
  private static let maximumBytes = 256 << 20
}

extension Overlay {
  var isText: Bool { if case .text = content { true } else { false } }
}

extension ReelDocument {
  /// The files that are pictures or sound.
  var mediaReferences: [MediaReference] {
    let others = Set(fonts.map(\.name) + (captions.map { [$0.file.name] } ?? []))
    return references.filter { !others.contains($0.name) }
  }

  /// The texts of the labels, to look for fonts; captions are in their file.
  public var labels: String {
    overlays.compactMap { if case .text(let text, let style) = $0.content { style.uppercase ? text.uppercased() : text } else { nil } }
      .joined(separator: "\n")
  }

  /// The font families that labels and captions ask for.
  public var fontFamilies: [String] {
    var families = overlays.compactMap { overlay -> String? in
      if case .text(_, let style) = overlay.content { style.font } else { nil }
    }
    families += captions.map { [$0.style.font] } ?? []
    var seen: Set<String> = []
    return families.filter { seen.insert($0).inserted }
  }
}
