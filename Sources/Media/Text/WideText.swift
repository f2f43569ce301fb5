import MediaCore

/// Line breaking for writing without spaces (Chinese, Japanese, Korean), which not every build of libass knows.
enum WideText {
  /// Ideographs, kana, hangul and full-width forms: as wide as an em, and lines may break between them.
  static func isWide(_ character: Character) -> Bool {
    switch character.unicodeScalars.first?.value ?? 0 {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xAC00...0xD7A3,
      0xF900...0xFAFF,
      0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      true
    default: false
    }
  }

  /// Never at the start of a line (the common core of JIS X 4051 and GB/T 15834).
  private static let closing: Set<Character> = Set("、。，．,.・：；:;？！?!ー」』）)】〉》〕］}’”…")
  /// Never at its end.
  private static let opening: Set<Character> = Set("「『（(【〈《〔［{‘“")

  /// The character offsets before which a line should break, so that lines hold at most `width` ems and are about equally long. Empty when
  /// the text has no wide characters: libass breaks the rest at spaces.
  static func breaks(in text: String, width: Double) -> Set<Int> {
    guard text.contains(where: isWide) else { return [] }
    let characters = Array(text)
    var breaks: Set<Int> = []
    var lineStart = 0
    while lineStart < characters.count {
      let end = characters[lineStart...].firstIndex(where: \.isNewline) ?? characters.count
      let total = characters[lineStart..<end].reduce(0) { $0 + advance($1) }
      if total > width {
        let target = total / (total / width).rounded(.up) + 0.5
        var passed = 0.0
        for index in lineStart..<end {
          let next = passed + advance(characters[index])
          if next > min(width, target), index > lineStart, mayBreak(before: index, in: characters) {
            breaks.insert(index)
            passed = 0
          }
          passed += advance(characters[index])
        }
      }
      lineStart = end + 1
    }
    return breaks
  }

  private static func advance(_ character: Character) -> Double { isWide(character) || EmojiText.isEmoji(character) ? 1 : 0.6 }

  private static func mayBreak(before index: Int, in characters: [Character]) -> Bool {
    let (before, after) = (characters[index - 1], characters[index])
    guard !closing.contains(after), !opening.contains(before) else { return false }
    return isWide(before) || isWide(after) || before.isWhitespace
  }
}
