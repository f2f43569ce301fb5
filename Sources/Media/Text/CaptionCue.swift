public import MediaCore

/// A piece of text with one look.
public struct TextRun: Hashable, Sendable {
  public var text: String
  /// nil: the style's.
  public var color: TextStyle.Color?
  public var bold: Bool?
  public var italic: Bool?

  public init(_ text: String, color: TextStyle.Color? = nil, bold: Bool? = nil, italic: Bool? = nil) {
    self.text = text
    self.color = color
    self.bold = bold
    self.italic = italic
  }
}

/// One caption: when, and what. Lines are separated by `\n`.
public struct CaptionCue: Hashable, Sendable {
  /// A word with its time.
  public struct Word: Hashable, Sendable {
    public var text: String
    public var start: MediaTime
    public var end: MediaTime

    public init(_ text: String, start: MediaTime, end: MediaTime) {
      self.text = text
      self.start = start
      self.end = end
    }
  }

  public var start: MediaTime
  /// Exclusive.
  public var end: MediaTime
  public var runs: [TextRun]
  /// Where the file gives the times of words; else empty.
  public var words: [Word]

  public init(start: MediaTime, end: MediaTime, runs: [TextRun], words: [Word] = []) {
    self.start = start
    self.end = end
    self.runs = runs
    self.words = words
  }

  public var text: String { runs.map(\.text).joined() }

  /// The words with their times; where the file has none, the cue's time is shared out by the words' lengths.
  public var timedWords: [Word] {
    if !words.isEmpty { return words }
    let parts = text.split(whereSeparator: \.isWhitespace)
    let total = parts.reduce(0) { $0 + $1.count + 1 }
    var passed = 0
    return parts.map { part in
      let from = start + (end - start) * Rational(Int64(passed), Int64(total))
      passed += part.count + 1
      return Word(String(part), start: from, end: start + (end - start) * Rational(Int64(passed), Int64(total)))
    }
  }
}
