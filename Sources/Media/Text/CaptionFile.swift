public import MediaCore
import PositionedJSON

/// A file of captions: SubRip, WebVTT, ASS or word timings in JSON.
public struct CaptionFile: Sendable {
  public enum Content: Sendable {
    case cues([CaptionCue])
    /// An ASS script, which keeps its own styles, positions and animations.
    case script(String)
  }

  public var content: Content
  /// What was passed over.
  public var warnings: [String]

  /// Reads a file; the format is recognised by its beginning. Throws `usage` with the line of what cannot be read.
  public init(_ bytes: [UInt8], name: String) throws(MediaError) {
    let source = JSONSource(name, operation: "cannot read captions \(name)")
    let text = try SourceText.decode(bytes, source: source)
    guard !text.unicodeScalars.contains("\u{0}") else {
      throw MediaError(.usage, source.operation, path: name, reason: "this is not a text file")
    }
    let start = text.drop { $0.isWhitespace }
    warnings = []
    if start.hasPrefix("WEBVTT") {
      content = .cues(try WebVTT.parse(text, source: source))
    } else if start.hasPrefix("[Script Info]") || start.contains("[V4+ Styles]") {
      content = .script(text)
    } else if start.hasPrefix("{") || start.hasPrefix("[") {
      content = .cues(try WordTimings.parse(text, source: source))
    } else {
      content = .cues(try SubRip.parse(text, source: source))
    }
    if case .cues(let cues) = content, cues.isEmpty { warnings.append("\(name) holds no captions") }
  }
}

/// What SubRip and WebVTT share.
enum CueText {
  /// `[hh:]mm:ss[.,]mmm`; nil when it is not a time.
  static func time(_ text: some StringProtocol) -> MediaTime? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let last = parts.last else { return nil }
    let seconds = last.split(whereSeparator: { $0 == "." || $0 == "," })
    guard (1...2).contains(seconds.count), let whole = natural(seconds[0]), whole < 60 else { return nil }
    var total: Int64 = 0
    for part in parts.dropLast() {
      guard let value = natural(part), value < 100_000 else { return nil }
      total = total * 60 + value
    }
    var fraction = Rational.zero
    if seconds.count == 2 {
      guard seconds[1].count <= 9, natural(seconds[1]) != nil, let value = Rational.decimal("0." + seconds[1]) else { return nil }
      fraction = value
    }
    return MediaTime(Rational(total * 60 + whole) + fraction)
  }

  private static func natural(_ text: some StringProtocol) -> Int64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return Int64(text)
  }

  /// `start --> end`, with whatever follows (settings).
  static func range(_ line: Substring) -> (MediaTime, MediaTime)? {
    guard let arrow = line.firstRange(of: "-->") else { return nil }
    let left = line[..<arrow.lowerBound].filter { !$0.isWhitespace }
    let right = line[arrow.upperBound...].split(whereSeparator: \.isWhitespace).first ?? ""
    guard let start = time(left), let end = time(right) else { return nil }
    return (start, end)
  }

  static func error(_ source: JSONSource, line: Int, _ reason: String) -> MediaError {
    MediaError(.usage, source.operation, path: source.name, reason: "line \(line): \(reason)")
  }

  /// Text with `<b>`, `<i>`, `<font color>` and WebVTT's `<00:01.000>` times; other tags and ASS overrides are dropped.
  static func parse(_ text: String, start: MediaTime, end: MediaTime, entities: Bool) -> CaptionCue {
    var runs: [TextRun] = []
    var words: [(text: String, start: MediaTime)] = []
    var wordStart: MediaTime?
    var look = TextRun("")
    var rest = text[...]
    func unescaped(_ piece: Substring) -> String {
      guard entities, piece.contains("&") else { return String(piece) }
      var output = String(piece)
      for (name, value) in [
        ("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{A0}"), ("&lrm;", "\u{200E}"), ("&rlm;", "\u{200F}"), ("&amp;", "&"),
      ] {
        output = output.split(separator: name, omittingEmptySubsequences: false).joined(separator: value)
      }
      return output
    }
    func append(_ piece: Substring) {
      guard !piece.isEmpty else { return }
      var run = look
      run.text = unescaped(piece)
      runs.append(run)
      words += run.text.split(whereSeparator: \.isWhitespace).map { (String($0), wordStart ?? start) }
    }
    while let open = rest.firstIndex(where: { $0 == "<" || $0 == "{" }) {
      let closing: Character = rest[open] == "<" ? ">" : "}"
      let inner = rest[rest.index(after: open)...]
      guard let close = inner.firstIndex(of: closing), isTag(inner[..<close], closing) else {
        append(rest[...open])
        rest = inner
        continue
      }
      append(rest[..<open])
      rest = inner[inner.index(after: close)...]
      let tag = inner[..<close].lowercased()
      switch tag {
      case "b": look.bold = true
      case "/b": look.bold = nil
      case "i": look.italic = true
      case "/i": look.italic = nil
      case "/font": look.color = nil
      default:
        if let time = time(tag) { wordStart = time }
        if tag.hasPrefix("font"), let color = color(inTag: tag) { look.color = color }
      }
    }
    append(rest)
    var cue = CaptionCue(start: start, end: end, runs: runs)
    if wordStart != nil {
      cue.words = words.indices.map { index in
        CaptionCue.Word(words[index].text, start: words[index].start, end: index + 1 < words.count ? words[index + 1].start : end)
      }
    }
    return cue
  }

  /// Whether what stands in brackets is markup rather than text.
  private static func isTag(_ inner: Substring, _ closing: Character) -> Bool {
    guard let first = inner.first else { return false }
    return closing == "}" ? first == "\\" : first == "/" || first.isLetter || first.isNumber
  }

  private static func color(inTag tag: String) -> TextStyle.Color? {
    guard let hash = tag.firstIndex(of: "#") else { return nil }
    let digits = tag[tag.index(after: hash)...].prefix { $0.isHexDigit }
    guard digits.count == 6, let value = UInt32(digits, radix: 16) else { return nil }
    return value << 8 | 0xFF
  }
}
