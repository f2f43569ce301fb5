internal import CFreeType

/// A colour font (bitmaps as in Noto Color Emoji, or layered outlines), drawn with FreeType and shaped with HarfBuzz so that joined
/// sequences (families, flags, skin tones) become one picture. One thread at a time.
final class EmojiFont {
  private let library: FT_Library
  private let face: FT_Face
  private let shaper: OpaquePointer
  /// FreeType reads from it as long as the face lives.
  private let memory: UnsafeMutableRawBufferPointer

  struct Picture {
    /// Premultiplied blue, green, red, alpha.
    var bgra: [UInt8]
    var width: Int
    var height: Int
  }

  /// nil when the bytes are not a font with colour.
  init?(_ bytes: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
    memory.copyBytes(from: bytes)
    var library: FT_Library?
    var face: FT_Face?
    FT_Init_FreeType(&library)
    let status = FT_New_Memory_Face(library, memory.baseAddress?.assumingMemoryBound(to: UInt8.self), FT_Long(bytes.count), 0, &face)
    guard let library, status == 0, let face, face.pointee.face_flags & FT_Long(FT_FACE_FLAG_COLOR) != 0,
      face.pointee.num_fixed_sizes > 0 ? FT_Select_Size(face, 0) == 0 : FT_Set_Pixel_Sizes(face, 0, 128) == 0,
      let shaper = hb_ft_font_create_referenced(face)
    else {
      FT_Done_FreeType(library)
      memory.deallocate()
      return nil
    }
    self.library = library
    self.face = face
    self.shaper = shaper
    self.memory = memory
  }

  deinit {
    hb_font_destroy(shaper)
    FT_Done_Face(face)
    FT_Done_FreeType(library)
    memory.deallocate()
  }

  /// The picture of one emoji; nil when the font has none.
  func picture(_ emoji: String) -> Picture? {
    guard let buffer = hb_buffer_create() else { return nil }
    defer { hb_buffer_destroy(buffer) }
    hb_buffer_add_utf8(buffer, emoji, -1, 0, -1)
    hb_buffer_guess_segment_properties(buffer)
    hb_shape(shaper, buffer, nil, 0)
    var count: UInt32 = 0
    guard let glyphs = hb_buffer_get_glyph_infos(buffer, &count), count > 0, glyphs[0].codepoint != 0,
      FT_Load_Glyph(face, glyphs[0].codepoint, FT_Int32(FT_LOAD_COLOR) | FT_Int32(FT_LOAD_RENDER)) == 0
    else { return nil }
    let bitmap = face.pointee.glyph.pointee.bitmap
    let (width, height, pitch) = (Int(bitmap.width), Int(bitmap.rows), Int(bitmap.pitch))
    guard bitmap.pixel_mode == UInt8(FT_PIXEL_MODE_BGRA.rawValue), width > 0, height > 0, pitch >= width * 4, let pixels = bitmap.buffer
    else { return nil }
    var bgra: [UInt8] = []
    bgra.reserveCapacity(width * height * 4)
    for row in 0..<height { bgra += UnsafeBufferPointer(start: pixels + row * pitch, count: width * 4) }
    return Picture(bgra: bgra, width: width, height: height)
  }
}
