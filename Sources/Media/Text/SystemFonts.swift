internal import CFreeType
import Glibc

/// The fonts installed on this machine, through fontconfig. Needs file access: a process that has none is handed the files.
public enum SystemFonts {
  /// The files needed to draw `text` with `families`: the families' own faces (regular and bold), then whatever covers the characters
  /// that they lack, then a colour font when there are emoji. `missing`: characters that no installed font has.
  public static func files(for text: String, families: [String]) -> (paths: [String], missing: [Unicode.Scalar]) {
    guard let config = FcInitLoadConfigAndFonts() else { return ([], []) }
    defer { FcConfigDestroy(config) }
    var paths: [String] = []
    var wanted = Set(
      text.unicodeScalars.filter { !$0.properties.isWhitespace && !$0.properties.isDefaultIgnorableCodePoint && $0.value > 32 })
    var hasEmoji = false
    for case .emoji(let emoji) in EmojiText.pieces(text) {
      hasEmoji = true
      wanted.subtract(emoji.unicodeScalars)
    }
    func add(_ pattern: OpaquePointer) {
      guard let path = path(of: pattern) else { return }
      if !paths.contains(path) { paths.append(path) }
      wanted = wanted.filter { !covers(pattern, $0) }
    }
    for family in families {
      for weight in [FC_WEIGHT_REGULAR, FC_WEIGHT_BOLD] { match(config, family: family, weight: weight, add) }
    }
    if let family = families.first {
      fallbacks(config, family: family) { pattern in
        if wanted.contains(where: { covers(pattern, $0) }) { add(pattern) }
        return !wanted.isEmpty
      }
    }
    if hasEmoji, let path = emojiPath(config), !paths.contains(path) { paths.append(path) }
    return (paths, wanted.sorted())
  }

  static func emojiFont() -> EmojiFont? {
    guard let config = FcInitLoadConfigAndFonts() else { return nil }
    defer { FcConfigDestroy(config) }
    guard let path = emojiPath(config), let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var status = stat()
    guard fstat(fileno(file), &status) == 0, status.st_size < 1 << 28 else { return nil }
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    return EmojiFont(bytes)
  }

  private static func emojiPath(_ config: OpaquePointer) -> String? {
    match(config, family: "Noto Color Emoji", weight: FC_WEIGHT_REGULAR) { pattern in
      var isColor: FcBool = 0
      return FcPatternGetBool(pattern, "color", 0, &isColor) == FcResultMatch && isColor != 0 ? path(of: pattern) : nil
    }
  }

  /// What `body` makes of the best match.
  private static func match<T>(_ config: OpaquePointer, family: String, weight: Int32, _ body: (OpaquePointer) -> T?) -> T? {
    guard let pattern = FcPatternCreate() else { return nil }
    defer { FcPatternDestroy(pattern) }
    FcPatternAddString(pattern, "family", family)
    FcPatternAddInteger(pattern, "weight", weight)
    FcConfigSubstitute(config, pattern, FcMatchPattern)
    FcDefaultSubstitute(pattern)
    var result = FcResultMatch
    guard let match = FcFontMatch(config, pattern, &result) else { return nil }
    defer { FcPatternDestroy(match) }
    return body(match)
  }

  /// The installed fonts in order of likeness, as long as `body` wants more.
  private static func fallbacks(_ config: OpaquePointer, family: String, _ body: (OpaquePointer) -> Bool) {
    guard let pattern = FcPatternCreate() else { return }
    defer { FcPatternDestroy(pattern) }
    FcPatternAddString(pattern, "family", family)
    FcPatternAddInteger(pattern, "weight", FC_WEIGHT_BOLD)
    FcConfigSubstitute(config, pattern, FcMatchPattern)
    FcDefaultSubstitute(pattern)
    var result = FcResultMatch
    guard let set = FcFontSort(config, pattern, 1, nil, &result) else { return }
    defer { FcFontSetDestroy(set) }
    for index in 0..<Int(set.pointee.nfont) {
      guard let font = set.pointee.fonts[index], body(font) else { return }
    }
  }

  private static func path(of pattern: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<FcChar8>?
    guard FcPatternGetString(pattern, "file", 0, &text) == FcResultMatch, let text else { return nil }
    return String(cString: text)
  }

  private static func covers(_ pattern: OpaquePointer, _ scalar: Unicode.Scalar) -> Bool {
    var set: OpaquePointer?
    guard FcPatternGetCharSet(pattern, "charset", 0, &set) == FcResultMatch, let set else { return false }
    return FcCharSetHasChar(set, scalar.value) != 0
  }
}
