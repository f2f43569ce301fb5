/// Text cut where colour emoji stand: libass draws outlines only, so they are drawn apart.
enum EmojiText {
  enum Piece: Equatable {
    case text(String)
    case emoji(String)
  }

  static func pieces(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    var plain = ""
    for character in text {
      if isEmoji(character) {
        if !plain.isEmpty { pieces.append(.text(plain)) }
        plain = ""
        pieces.append(.emoji(String(character)))
      } else {
        plain.append(character)
      }
    }
    if !plain.isEmpty { pieces.append(.text(plain)) }
    return pieces
  }

  /// Whether a character is shown as a colour picture (Unicode TR 51): emoji by default, or by a variation selector, modifier or keycap.
  static func isEmoji(_ character: Character) -> Bool {
    let scalars = character.unicodeScalars
    guard let first = scalars.first, !scalars.contains("\u{FE0E}") else { return false }
    if first.properties.isEmojiPresentation { return true }
    return first.properties.isEmoji && scalars.count > 1
      && scalars.dropFirst().contains { $0 == "\u{FE0F}" || $0 == "\u{20E3}" || $0 == "\u{200D}" || $0.properties.isEmojiModifier }
  }
}
