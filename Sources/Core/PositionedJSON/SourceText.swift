public import MediaCore

/// Text files as people's programs save them.
public enum SourceText {
  /// The text of UTF-8 (with or without byte order mark) or UTF-16 with one; the mark is dropped. Throws `usage` with the line of the
  /// first byte that is not UTF-8.
  public static func decode(_ bytes: [UInt8], source: JSONSource) throws(MediaError) -> String {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      let isLittle = bytes[0] == 0xFF
      guard bytes.count % 2 == 0 else {
        throw source.error(at: JSONPosition(line: 1, column: 1), path: .root, "the UTF-16 text ends within a character")
      }
      let units = stride(from: 2, to: bytes.count, by: 2).map { index in
        isLittle ? UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8 : UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
      }
      return String(decoding: units, as: UTF16.self)
    }
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    if let text = String(validating: body, as: UTF8.self) { return text }
    throw MediaError(
      .usage, source.operation, path: source.name, reason: "line \(firstInvalidLine(body)): the text is not valid UTF-8",
      advice: "save it as UTF-8")
  }

  private static func firstInvalidLine(_ bytes: ArraySlice<UInt8>) -> Int {
    var line = 1
    for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { return line }
      line += 1
    }
    return line
  }

  /// The lines of a text; CR, LF and CR LF end a line.
  public static func lines(_ text: String) -> [Substring] {
    var lines: [Substring] = []
    var rest = text[...]
    // A Character of CR LF is one: splitting by newline characters would also split at U+2028.
    while let end = rest.firstIndex(where: { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }) {
      lines.append(rest[..<end])
      rest = rest[rest.index(after: end)...]
    }
    lines.append(rest)
    return lines
  }
}
