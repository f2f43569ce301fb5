public import MediaCore

/// How a text looks. Sizes are parts of the canvas height, so that one style suits every canvas.
public struct TextStyle: Hashable, Sendable {
  /// 0xRRGGBBAA, straight alpha (255 is opaque).
  public typealias Color = UInt32

  public enum Alignment: String, CaseIterable, Sendable { case left, center, right }

  /// How the word being spoken stands out, where the times of words are known.
  public enum Highlight: String, CaseIterable, Sendable {
    /// All words look the same.
    case none
    /// The current word has another colour.
    case word
    /// Words take the colour as they are spoken and keep it.
    case fill
    /// Only the current word is shown.
    case single
  }

  /// Font family. Default Noto Sans; another is taken where it has no glyph.
  public var font: String
  /// Line height as a part of the canvas height.
  public var size: Rational
  public var bold: Bool
  public var italic: Bool
  public var color: Color
  public var outlineColor: Color
  /// Part of the text size. 0: none.
  public var outlineWidth: Rational
  /// Part of the text size. 0: none.
  public var shadow: Rational
  /// A box behind the text; alpha 0: none.
  public var boxColor: Color
  public var highlight: Highlight
  public var highlightColor: Color
  public var alignment: Alignment
  public var uppercase: Bool
  /// The widest line as a part of the canvas width.
  public var maxWidth: Rational
  /// Where captions stand: the part of the canvas height from the top to the text's middle. Overlays have an anchor instead.
  public var verticalPosition: Rational
  /// Most words shown at once where the times of words are known. 0: whole cues.
  public var wordsPerCue: Int

  public init(
    font: String = "Noto Sans", size: Rational = Rational(1, 24), bold: Bool = true, italic: Bool = false, color: Color = 0xFFFF_FFFF,
    outlineColor: Color = 0x0000_00FF, outlineWidth: Rational = Rational(3, 50), shadow: Rational = .zero, boxColor: Color = 0,
    highlight: Highlight = .none, highlightColor: Color = 0xFFD6_0AFF, alignment: Alignment = .center, uppercase: Bool = false,
    maxWidth: Rational = Rational(9, 10), verticalPosition: Rational = Rational(3, 4), wordsPerCue: Int = 0
  ) {
    self.font = font
    self.size = size
    self.bold = bold
    self.italic = italic
    self.color = color
    self.outlineColor = outlineColor
    self.outlineWidth = outlineWidth
    self.shadow = shadow
    self.boxColor = boxColor
    self.highlight = highlight
    self.highlightColor = highlightColor
    self.alignment = alignment
    self.uppercase = uppercase
    self.maxWidth = maxWidth
    self.verticalPosition = verticalPosition
    self.wordsPerCue = wordsPerCue
  }

  /// The styles that documents name.
  public static let names = ["plain", "headline", "subtitle", "boxed", "word-highlight", "karaoke", "single-word", "handle"]

  /// The style called `name`; nil when there is none.
  public init?(named name: String) {
    switch name {
    case "plain": self.init(bold: false)
    case "headline": self.init(size: Rational(1, 18), outlineWidth: Rational(2, 25), shadow: Rational(1, 25))
    case "subtitle": self.init(size: Rational(1, 28), verticalPosition: Rational(17, 20))
    case "boxed": self.init(outlineWidth: .zero, boxColor: 0x0000_00B4)
    case "word-highlight": self.init(size: Rational(1, 22), highlight: .word, wordsPerCue: 4)
    case "karaoke": self.init(size: Rational(1, 22), highlight: .fill)
    case "single-word": self.init(size: Rational(1, 14), highlight: .single, uppercase: true, verticalPosition: Rational(11, 20))
    case "handle": self.init(size: Rational(1, 40), bold: false, outlineWidth: Rational(1, 25))
    default: return nil
    }
  }
}
