internal import MediaCore

/// Small letters for the contact sheet's captions: transition names are a to z and hyphens, and need no font file.
enum SheetLettering {
  /// Nine rows of five pixels, the leftmost in bit 4. The base line lies below the seventh; the last two hold descenders.
  private static let letters: [Character: [UInt8]] = [
    "a": [0, 0, 14, 1, 15, 17, 15, 0, 0],
    "b": [16, 16, 30, 17, 17, 17, 30, 0, 0],
    "c": [0, 0, 14, 16, 16, 17, 14, 0, 0],
    "d": [1, 1, 15, 17, 17, 17, 15, 0, 0],
    "e": [0, 0, 14, 17, 31, 16, 14, 0, 0],
    "f": [6, 8, 28, 8, 8, 8, 8, 0, 0],
    "g": [0, 0, 15, 17, 17, 17, 15, 1, 14],
    "h": [16, 16, 30, 17, 17, 17, 17, 0, 0],
    "i": [4, 0, 12, 4, 4, 4, 14, 0, 0],
    "j": [2, 0, 6, 2, 2, 2, 2, 18, 12],
    "k": [16, 16, 18, 20, 24, 20, 18, 0, 0],
    "l": [12, 4, 4, 4, 4, 4, 14, 0, 0],
    "m": [0, 0, 26, 21, 21, 21, 21, 0, 0],
    "n": [0, 0, 30, 17, 17, 17, 17, 0, 0],
    "o": [0, 0, 14, 17, 17, 17, 14, 0, 0],
    "p": [0, 0, 30, 17, 17, 17, 30, 16, 16],
    "q": [0, 0, 15, 17, 17, 17, 15, 1, 1],
    "r": [0, 0, 22, 24, 16, 16, 16, 0, 0],
    "s": [0, 0, 15, 16, 14, 1, 30, 0, 0],
    "t": [8, 8, 28, 8, 8, 9, 6, 0, 0],
    "u": [0, 0, 17, 17, 17, 17, 15, 0, 0],
    "v": [0, 0, 17, 17, 17, 10, 4, 0, 0],
    "w": [0, 0, 17, 21, 21, 21, 10, 0, 0],
    "x": [0, 0, 17, 10, 4, 10, 17, 0, 0],
    "y": [0, 0, 17, 17, 17, 17, 15, 1, 14],
    "z": [0, 0, 31, 2, 4, 8, 31, 0, 0],
    "-": [0, 0, 0, 14, 0, 0, 0, 0, 0],
  ]

  private static let scale = 2
  private static let height = 9

  /// `text` in light letters, 18 pixels high with the descenders.
  static func image(of text: String, tags: ColorTags) -> OverlayImage {
    let size = FrameSize(max(1, text.count) * 6 * scale, height * scale)
    var rgba = [UInt8](repeating: 0, count: size.width * size.height * 4)
    for (index, character) in text.enumerated() {
      guard let rows = letters[character] else { continue }
      for y in 0..<(height * scale) {
        for x in 0..<(5 * scale) where rows[y / scale] >> UInt8(4 - x / scale) & 1 == 1 {
          let at = (y * size.width + index * 6 * scale + x) * 4
          for channel in 0..<3 { rgba[at + channel] = 225 }
          rgba[at + 3] = 255
        }
      }
    }
    return OverlayImage(rgba: rgba, size: size, tags: tags)
  }
}
