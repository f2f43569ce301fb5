import MediaCore

/// A script for libass that shows one text, always: times are the caller's business.
struct AssScript {
  /// The alpha that marks the stand-in of an emoji; the colour below it is its index.
  static let emojiAlpha: UInt32 = 0xFE

  enum Placement {
    /// At the style's height, centred.
    case caption
    /// In the middle, to be cut out and placed as a picture.
    case free
  }

  private(set) var text = ""
  private(set) var emoji: [String] = []
  let style: TextStyle
  let canvas: FrameSize
  /// Set when there are no system fonts to fall back on.
  private let fonts: MemoryFonts?
  /// Line height in pixels.
  let fontSize: Int

  init(runs: [TextRun], style: TextStyle, canvas: FrameSize, placement: Placement, hasEmojiFont: Bool, fonts: MemoryFonts? = nil) {
    self.fonts = fonts
    self.style = style
    self.canvas = canvas
    fontSize = max(4, Length.pixels(style.size, of: canvas.height))
    var body = ""
    for run in wrapped(runs) { append(run, to: &body, hasEmojiFont: hasEmojiFont) }
    text = header + position(placement) + body + "\n"
  }

  /// The runs with line breaks where writing without spaces needs them.
  private func wrapped(_ runs: [TextRun]) -> [TextRun] {
    // Fonts for such writing are about 1.45 em high.
    let width = (style.maxWidth * Rational(Int64(canvas.width))).doubleValue / (Double(fontSize) / 1.45)
    let breaks = WideText.breaks(in: runs.map(\.text).joined(), width: max(1, width))
    guard !breaks.isEmpty else { return runs }
    var offset = 0
    return runs.map { run in
      var run = run
      var text = ""
      for character in run.text {
        if breaks.contains(offset) { text += "\n" }
        text.append(character)
        offset += 1
      }
      run.text = text
      return run
    }
  }

  private enum Length {
    static func pixels(_ part: Rational, of side: Int) -> Int { Int((part * Rational(Int64(side))).rounded) }
  }

  private func part(_ fraction: Rational) -> String {
    let tenths = (fraction * Rational(Int64(fontSize * 10))).rounded
    return "\(tenths / 10).\(tenths % 10)"
  }

  private var header: String {
    let margin = Length.pixels((Rational(1) - style.maxWidth) / Rational(2), of: canvas.width)
    let hasBox = style.boxColor & 0xFF != 0
    let padding = part(Rational(1, 4))
    // The last field: the text itself tells whether it runs from right to left.
    let fields: [String] = [
      "Default", style.font, String(fontSize), AssScript.color(style.color), AssScript.color(style.highlightColor),
      AssScript.color(style.outlineColor), AssScript.color(hasBox ? style.boxColor : 0x0000_0080), style.bold ? "-1" : "0",
      style.italic ? "-1" : "0", "0", "0", "100", "100", "0", "0", hasBox ? "4" : "1", part(style.outlineWidth),
      hasBox ? padding : part(style.shadow), "5", String(margin), String(margin), "0", "-1",
    ]
    return """
      [Script Info]
      ScriptType: v4.00+
      PlayResX: \(canvas.width)
      PlayResY: \(canvas.height)
      WrapStyle: 0
      ScaledBorderAndShadow: yes

      [V4+ Styles]
      Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, \
      ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
      Style: \(fields.joined(separator: ","))

      [Events]
      Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
      Dialogue: 0,0:00:00.00,9:59:59.99,Default,,0,0,0,,
      """
  }

  private func position(_ placement: Placement) -> String {
    let margin = Length.pixels((Rational(1) - style.maxWidth) / Rational(2), of: canvas.width)
    let (number, x): (Int, Int) =
      switch style.alignment {
      case .left: (4, margin)
      case .center: (5, canvas.width / 2)
      case .right: (6, canvas.width - margin)
      }
    let y =
      switch placement {
      case .caption: Length.pixels(style.verticalPosition, of: canvas.height)
      case .free: canvas.height / 2
      }
    return "{\\an\(number)\\pos(\(x),\(y))}"
  }

  private mutating func append(_ run: TextRun, to body: inout String, hasEmojiFont: Bool) {
    var look = "{\\r"
    if let color = run.color { look += "\\1c\(AssScript.rgb(color))\\1a\(AssScript.alpha(color))" }
    if let bold = run.bold { look += bold ? "\\b1" : "\\b0" }
    if let italic = run.italic { look += italic ? "\\i1" : "\\i0" }
    look += "}"
    body += look
    for piece in EmojiText.pieces(style.uppercase ? run.text.uppercased() : run.text) {
      switch piece {
      case .text(let text):
        guard let fonts else {
          body += AssScript.escaped(text)
          continue
        }
        for stretch in fonts.stretches(of: text, preferred: style.font) {
          body += "{\\fn\(stretch.family)}" + AssScript.escaped(stretch.text)
        }
      case .emoji(let character):
        guard hasEmojiFont else {
          body += AssScript.escaped(character)
          continue
        }
        // A font's line is about 1.36 em high; an emoji is a little larger than an em and reaches below the base line.
        let side = fontSize * 17 / 20
        let color = AssScript.rgb(UInt32(emoji.count) << 8)
        body += "{\\r\\bord0\\shad0\\1a&HFE&\\1c\(color)\\pbo\(side * 3 / 20)\\p1}m 0 0 l \(side) 0 \(side) \(side) 0 \(side){\\p0}" + look
        emoji.append(character)
      }
    }
  }

  /// Braces and backslashes are markup to libass. A word joiner after a backslash takes its meaning away.
  static func escaped(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "{": output += "\\{"
      case "}": output += "\\}"
      case "\\": output += "\\\u{2060}"
      case "\n": output += "\\N"
      case "\r", "\u{0}": break
      case "\u{A0}": output += "\\h"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }

  /// `&HAABBGGRR`, alpha 0 opaque.
  private static func color(_ color: TextStyle.Color) -> String {
    let value = inverted(color) << 24 | (color >> 8 & 0xFF) << 16 | (color >> 16 & 0xFF) << 8 | color >> 24
    return "&H" + String(value, radix: 16, uppercase: true)
  }

  private static func rgb(_ color: TextStyle.Color) -> String {
    "&H" + String((color >> 8 & 0xFF) << 16 | (color >> 16 & 0xFF) << 8 | color >> 24, radix: 16, uppercase: true) + "&"
  }

  private static func alpha(_ color: TextStyle.Color) -> String { "&H" + String(inverted(color), radix: 16, uppercase: true) + "&" }

  /// libass counts alpha from opaque; the value that marks emoji is kept free.
  private static func inverted(_ color: TextStyle.Color) -> UInt32 {
    let value = 255 - (color & 0xFF)
    return value == emojiAlpha ? 0xFF : value
  }
}
