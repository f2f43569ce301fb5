internal import CFreeType

/// Which of the fonts in memory has a character. libass looks for a substitute only among the system's fonts, so that without those the
/// choice is made here.
final class MemoryFonts {
  private var faces: [(family: String, face: FT_Face)] = []
  private let library: FT_Library?
  /// FreeType reads from it as long as the faces live.
  private var memory: [UnsafeMutableRawBufferPointer] = []

  init(_ fonts: [FontFile]) {
    var library: FT_Library?
    FT_Init_FreeType(&library)
    self.library = library
    for font in fonts { add(font) }
  }

  deinit {
    for entry in faces { FT_Done_Face(entry.face) }
    FT_Done_FreeType(library)
    for buffer in memory { buffer.deallocate() }
  }

  private func add(_ font: FontFile) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, font.bytes.count), alignment: 16)
    copy.copyBytes(from: font.bytes)
    memory.append(copy)
    var face: FT_Face?
    let status = FT_New_Memory_Face(library, copy.baseAddress?.assumingMemoryBound(to: UInt8.self), FT_Long(font.bytes.count), 0, &face)
    guard status == 0, let face else { return }
    guard let name = face.pointee.family_name else {
      FT_Done_Face(face)
      return
    }
    faces.append((String(cString: name), face))
  }

  private func has(_ scalar: Unicode.Scalar, _ face: FT_Face) -> Bool { FT_Get_Char_Index(face, FT_ULong(scalar.value)) != 0 }

  /// The text in stretches that one family can draw: `preferred` wherever it can, else the first that has the character. Characters that
  /// no font has, spaces and marks stay with what is before them.
  func stretches(of text: String, preferred: String) -> [(family: String, text: String)] {
    var result: [(family: String, text: String)] = []
    for character in text {
      let family = family(for: character, preferred: preferred, before: result.last?.family)
      if result.last?.family == family {
        result[result.count - 1].text.append(character)
      } else {
        result.append((family, String(character)))
      }
    }
    return result
  }

  private func family(for character: Character, preferred: String, before: String?) -> String {
    let scalars = character.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint && !$0.properties.isWhitespace }
    func covers(_ family: String) -> Bool {
      faces.contains { entry in entry.family == family && scalars.allSatisfy { has($0, entry.face) } }
    }
    if scalars.isEmpty { return before ?? preferred }
    if covers(preferred) { return preferred }
    if let before, covers(before) { return before }
    return faces.first { entry in scalars.allSatisfy { has($0, entry.face) } }?.family ?? before ?? preferred
  }
}
