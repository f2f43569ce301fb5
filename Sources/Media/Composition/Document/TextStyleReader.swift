import MediaCore
import PositionedJSON
import Text

/// Reads a text style: a name, or an object that changes a named style.
enum TextStyleReader {
  static func read(_ node: JSONNode) throws(MediaError) -> TextStyle {
    if node.asString != nil { return try named(node) }
    var fields = try node.fields("a style's name or an object")
    var style = TextStyle()
    if let node = fields.optional("base") { style = try named(node) }
    if let node = fields.optional("font") { style.font = try font(node) }
    if let node = fields.optional("size") {
      style.size = try node.part()
      guard style.size.isPositive else { throw node.error("the size is zero") }
    }
    if let node = fields.optional("bold") { style.bold = try node.bool() }
    if let node = fields.optional("italic") { style.italic = try node.bool() }
    if let node = fields.optional("uppercase") { style.uppercase = try node.bool() }
    if let node = fields.optional("color") { style.color = try node.color().packed }
    if let node = fields.optional("outlineColor") { style.outlineColor = try node.color().packed }
    if let node = fields.optional("outlineWidth") { style.outlineWidth = try node.part() }
    if let node = fields.optional("shadow") { style.shadow = try node.part() }
    if let node = fields.optional("boxColor") { style.boxColor = try node.color().packed }
    if let node = fields.optional("highlight") { style.highlight = try node.choice(TextStyle.Highlight.self) }
    if let node = fields.optional("highlightColor") { style.highlightColor = try node.color().packed }
    if let node = fields.optional("align") { style.alignment = try node.choice(TextStyle.Alignment.self) }
    if let node = fields.optional("maxWidth") { style.maxWidth = try node.part() }
    if let node = fields.optional("position") { style.verticalPosition = try node.part() }
    if let node = fields.optional("wordsPerCue") { style.wordsPerCue = Int(try node.integer(in: 0...50)) }
    try fields.finish()
    return style
  }

  private static func named(_ node: JSONNode) throws(MediaError) -> TextStyle {
    let name = try node.string("a style's name")
    guard let style = TextStyle(named: name) else { throw node.unknownName(name, among: TextStyle.names) }
    return style
  }

  private static func font(_ node: JSONNode) throws(MediaError) -> String {
    let name = try node.string("a font family")
    guard !name.isEmpty, !name.contains(where: { $0 == "," || $0.isNewline }) else { throw node.mismatch("a font family") }
    return name
  }
}

extension ReelColor {
  /// 0xRRGGBBAA.
  var packed: UInt32 { UInt32(red) << 24 | UInt32(green) << 16 | UInt32(blue) << 8 | UInt32(alpha) }
}
