internal import CKernels
internal import CLibass
public import MediaCore

/// Draws text: shaping, right-to-left, line breaking and outlines by libass; colour emoji by FreeType. One thread at a time.
public final class TextRenderer {
  private let library: OpaquePointer
  private let renderer: OpaquePointer
  private let log = AssLog()
  private let emojiFont: EmojiFont?
  private let fonts: MemoryFonts?
  private var missingEmoji: Set<String> = []
  /// Texts that were cut at both sides of the canvas.
  private var cut: Set<String> = []
  public let canvas: FrameSize

  /// `fonts` come before those of the system, which are used only when `usesSystemFonts` (they need file access). A colour font
  /// among `fonts` draws emoji. Throws `unavailable` when libass cannot start.
  public init(canvas: FrameSize, fonts: [FontFile], usesSystemFonts: Bool) throws(MediaError) {
    guard let library = ass_library_init() else { throw TextRenderer.startFailure }
    log.install(in: library)
    guard let renderer = ass_renderer_init(library) else {
      ass_library_done(library)
      throw TextRenderer.startFailure
    }
    self.library = library
    self.renderer = renderer
    self.canvas = canvas
    var emojiFont: EmojiFont?
    for font in fonts {
      if let color = EmojiFont(font.bytes) {
        emojiFont = emojiFont ?? color
      } else {
        font.bytes.withUnsafeBytes { bytes in
          ass_add_font(library, font.name, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
      }
    }
    if emojiFont == nil, usesSystemFonts { emojiFont = SystemFonts.emojiFont() }
    self.emojiFont = emojiFont
    self.fonts = usesSystemFonts ? nil : MemoryFonts(fonts)
    ass_set_frame_size(renderer, Int32(canvas.width), Int32(canvas.height))
    ass_set_storage_size(renderer, Int32(canvas.width), Int32(canvas.height))
    let provider = usesSystemFonts ? ASS_FONTPROVIDER_AUTODETECT : ASS_FONTPROVIDER_NONE
    ass_set_fonts(renderer, nil, "Noto Sans", Int32(provider.rawValue), nil, 1)
  }

  deinit {
    ass_renderer_done(renderer)
    ass_library_done(library)
  }

  private static var startFailure: MediaError { MediaError(.unavailable, "cannot draw text", reason: "libass cannot be started") }

  /// The characters met so far that no font has, and the texts that are wider than the canvas, each named once.
  public var warnings: [String] {
    log.warnings + missingEmoji.sorted().map { "no font has the emoji \"\($0)\"" }
      + cut.sorted().map { "the text \"\($0)\" is wider than the picture and cut: make it smaller or break it" }
  }

  /// A text by itself, cut to what is drawn, for an overlay; nil when nothing is visible.
  public func drawLabel(_ text: String, style: TextStyle) -> TextBitmap? { draw([TextRun(text)], style: style, placement: .free) }

  /// A caption at its place on the canvas; nil when nothing is visible.
  public func drawCaption(_ runs: [TextRun], style: TextStyle) -> TextBitmap? { draw(runs, style: style, placement: .caption) }

  private func draw(_ runs: [TextRun], style: TextStyle, placement: AssScript.Placement) -> TextBitmap? {
    let script = AssScript(runs: runs, style: style, canvas: canvas, placement: placement, hasEmojiFont: emojiFont != nil, fonts: fonts)
    guard let track = makeTrack(script.text) else { return nil }
    defer { ass_free_track(track) }
    let bitmap = bitmap(ass_render_frame(renderer, track, 0, nil), emoji: script.emoji)
    // Lines break between words: one that reaches both edges is a word for which there is no room.
    if let bitmap, bitmap.x <= 0, bitmap.x + bitmap.size.width >= canvas.width {
      cut.insert(String(runs.map(\.text).joined().prefix(60)))
    }
    return bitmap
  }

  func makeTrack(_ script: String) -> UnsafeMutablePointer<ASS_Track>? {
    var bytes = Array(script.utf8).map { CChar(bitPattern: $0) }
    guard let track = ass_read_memory(library, &bytes, bytes.count, nil) else { return nil }
    // Chinese, Japanese and Thai have no spaces to break lines at; not all builds of libass can.
    ass_track_set_feature(track, ASS_FEATURE_WRAP_UNICODE, 1)
    return track
  }

  enum Change {
    case same
    case changed(TextBitmap?)
  }

  /// A script at a time; `same` when nothing moved since the last call with this renderer.
  func draw(_ track: UnsafeMutablePointer<ASS_Track>, atMilliseconds time: Int64) -> Change {
    var change: Int32 = 0
    let images = ass_render_frame(renderer, track, time, &change)
    return change == 0 ? .same : .changed(bitmap(images, emoji: []))
  }

  private func bitmap(_ images: UnsafeMutablePointer<ASS_Image>?, emoji: [String]) -> TextBitmap? {
    var (left, top, right, bottom) = (Int.max, Int.max, Int.min, Int.min)
    for image in sequence(first: images, next: { $0?.pointee.next }) {
      guard let image = image?.pointee else { break }
      guard image.w > 0, image.h > 0 else { continue }
      left = min(left, Int(image.dst_x))
      top = min(top, Int(image.dst_y))
      right = max(right, Int(image.dst_x + image.w))
      bottom = max(bottom, Int(image.dst_y + image.h))
    }
    // libass clips to the frame.
    guard left < right, top < bottom else { return nil }
    let size = FrameSize(right - left, bottom - top)
    var rgba = [UInt8](repeating: 0, count: size.width * size.height * 4)
    let stride = size.width * 4
    rgba.withUnsafeMutableBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      for image in sequence(first: images, next: { $0?.pointee.next }) {
        guard let image = image?.pointee else { break }
        guard image.w > 0, image.h > 0 else { continue }
        let corner = base + (Int(image.dst_y) - top) * stride + (Int(image.dst_x) - left) * 4
        let color = UInt32(image.color)
        if color & 0xFF == AssScript.emojiAlpha, Int(color >> 8) < emoji.count {
          draw(emoji[Int(color >> 8)], at: corner, stride: stride, side: (image.w, image.h))
        } else {
          rw_text_draw(corner, stride, image.bitmap, Int(image.stride), image.w, image.h, color & 0xFFFF_FF00 | (255 - color & 0xFF))
        }
      }
      rw_text_straighten(base, size.width * size.height)
    }
    return TextBitmap(x: left, y: top, size: size, rgba: rgba)
  }

  private func draw(_ emoji: String, at corner: UnsafeMutablePointer<UInt8>, stride: Int, side: (width: Int32, height: Int32)) {
    guard let picture = emojiFont?.picture(emoji) else {
      missingEmoji.insert(emoji)
      return
    }
    // Kept in shape within the stand-in's square.
    let scale = min(Double(side.width) / Double(picture.width), Double(side.height) / Double(picture.height))
    let width = max(1, Int32(Double(picture.width) * scale))
    let height = max(1, Int32(Double(picture.height) * scale))
    let inset = corner + Int((side.height - height) / 2) * stride + Int((side.width - width) / 2) * 4
    rw_text_draw_picture(
      inset, stride, width, height, picture.bgra, picture.width * 4, Int32(picture.width), Int32(picture.height))
  }
}
