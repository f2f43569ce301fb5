import MediaCore
import PositionedJSON
import Text

/// Turns parsed JSON into a `ReelDocument`. Goes on after an error in one item, so that one run reports them all.
struct DocumentReader {
  let root: JSONNode
  var canvas = Canvas.standard(preset: nil)
  private var errors: [MediaError] = []

  private static let parts = ["canvas", "metadata", "sequence", "overlays", "captions", "fonts", "audio", "watermark", "output"]

  static func read(_ root: JSONNode, options: ReelDocument.Options) throws(MediaError) -> ReelDocument {
    var reader = DocumentReader(root: root)
    return try reader.read(options)
  }

  private init(root: JSONNode) { self.root = root }

  private mutating func read(_ options: ReelDocument.Options) throws(MediaError) -> ReelDocument {
    var top = try root.fields("a reel document")
    try Self.checkVersion(&top)
    let declarations = try Self.declarations(in: root)
    try checkNames(options.values, declarations)
    var substitution = VariableSubstitution(
      declarations: declarations, values: options.rowValues.merging(options.values) { $1 }, source: root.source)
    top.allow("variables", "$schema")
    var parts: [String: JSONNode] = [:]
    for key in Self.parts {
      guard let node = top.optional(key) else { continue }
      attempt { () throws(MediaError) in parts[key] = try substitution.apply(to: node) }
    }
    attempt { () throws(MediaError) in try top.finish() }
    if !top.contains("sequence") { throw errors.first ?? root.error("the key \"sequence\" is missing") }

    var document = ReelDocument(canvas: canvas, sequence: [], source: root.source)
    document.variables = declarations
    if let node = parts["output"] { attempt { () throws(MediaError) in document.output = try OutputReader.read(node) } }
    canvas = Canvas.standard(preset: options.preset ?? document.output.preset)
    if let node = parts["canvas"] { readCanvas(node) }
    document.canvas = canvas
    readParts(parts, into: &document)

    if var first = errors.first {
      first.details += errors.dropFirst().map(\.reason)
      throw first
    }
    for declaration in declarations where !substitution.used.contains(declaration.name) {
      document.warnings.append("\(declaration.place.position) (\(declaration.place.path)): nothing uses this variable")
    }
    return document
  }

  private mutating func attempt(_ body: () throws(MediaError) -> Void) {
    do throws(MediaError) { try body() } catch { errors.append(error) }
  }

  // MARK: Head

  private static func checkVersion(_ top: inout JSONFields) throws(MediaError) {
    let node = try top.required("reel")
    guard try node.integer() == 1 else {
      throw node.error("version \(node.asNumber?.text ?? "") of the reel document is not known", advice: "this reel reads version 1")
    }
  }

  static func declarations(in root: JSONNode) throws(MediaError) -> [VariableDeclaration] {
    var top = try root.fields("a reel document")
    guard let node = top.optional("variables") else { return [] }
    guard let members = node.asObject else { throw node.mismatch("an object of variables") }
    var declarations: [VariableDeclaration] = []
    for (name, node) in members {
      guard let first = name.unicodeScalars.first, first.properties.isAlphabetic || first == "_",
        name.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" })
      else { throw node.error("a variable's name is a letter followed by letters, digits, - and _") }
      var fields = try node.fields("an object with \"type\" and perhaps \"default\"")
      let kind = try fields.required("type").choice(VariableDeclaration.Kind.self)
      var defaultValue: String?
      if let node = fields.optional("default") {
        let text = node.asString ?? (kind == .text || kind == .media || kind == .color ? nil : node.asNumber?.text)
        guard let text, kind.accepts(text) else { throw node.mismatch(kind.expectation) }
        defaultValue = text
      }
      try fields.finish()
      declarations.append(VariableDeclaration(name: name, kind: kind, defaultValue: defaultValue, place: DocumentPlace(node)))
    }
    return declarations
  }

  private func checkNames(_ values: [String: String], _ declarations: [VariableDeclaration]) throws(MediaError) {
    for name in values.keys.sorted() where !declarations.contains(where: { $0.name == name }) {
      let nearest = NearestMatch.find(name, among: declarations.map(\.name))
      throw MediaError(
        .usage, root.source.operation, path: root.source.name, reason: "the document declares no variable \"\(name)\"",
        advice: nearest.map { "did you mean \"\($0)\"?" } ?? "declare it under variables")
    }
  }

  private mutating func readCanvas(_ node: JSONNode) {
    var result = canvas
    attempt { () throws(MediaError) in
      var fields = try node.fields("an object with width, height, frameRate and background")
      let width = fields.optional("width")
      let height = fields.optional("height")
      guard (width == nil) == (height == nil) else { throw node.error("width and height go together") }
      if let width, let height {
        result.width = try Self.side(width)
        result.height = try Self.side(height)
      }
      if let node = fields.optional("frameRate") {
        guard let text = node.asString ?? node.asNumber?.text else { throw node.mismatch("a frame rate (\"30\", \"30000/1001\")") }
        guard let rate = Canvas.frameRate(text) else { throw node.mismatch("a frame rate from 1 to 240 (\"30\", \"30000/1001\")") }
        result.frameRate = rate
      }
      if let node = fields.optional("background") { result.background = try node.color() }
      try fields.finish()
    }
    canvas = result
  }

  private static func side(_ node: JSONNode) throws(MediaError) -> Int {
    let value = try node.integer(in: 16...16384)
    guard value % 2 == 0 else { throw node.error("\(value) is odd", advice: "4:2:0 video has even sides") }
    return Int(value)
  }

  // MARK: Parts

  private mutating func readParts(_ parts: [String: JSONNode], into document: inout ReelDocument) {
    if let node = parts["metadata"] {
      attempt { () throws(MediaError) in
        guard let members = node.asObject else { throw node.mismatch("an object") }
        document.metadata = members.map { ($0.key, JSON($0.node.value)) }
      }
    }
    let items = ItemReader(canvas: canvas)
    if let node = parts["sequence"] { readSequence(node, items, into: &document) }
    if let node = parts["overlays"] {
      readList(node, "an array of overlays") { (node) throws(MediaError) in document.overlays.append(try items.overlay(node)) }
    }
    if let node = parts["captions"] { attempt { () throws(MediaError) in document.captions = try items.captions(node) } }
    if let node = parts["fonts"] {
      readList(node, "an array of font files") { (node) throws(MediaError) in document.fonts.append(try node.file()) }
    }
    if let node = parts["audio"] { attempt { () throws(MediaError) in document.audio = try AudioReader(items: items).read(node) } }
    if let node = parts["watermark"] { attempt { () throws(MediaError) in document.watermark = try OutputReader.watermark(node) } }
  }

  private mutating func readList(_ node: JSONNode, _ expected: String, _ read: (JSONNode) throws(MediaError) -> Void) {
    guard let elements = node.asArray else {
      errors.append(node.mismatch(expected))
      return
    }
    for element in elements { attempt { () throws(MediaError) in try read(element) } }
  }

  private mutating func readSequence(_ node: JSONNode, _ items: ItemReader, into document: inout ReelDocument) {
    let before = errors.count
    readList(node, "an array of clips and transitions") { (node) throws(MediaError) in
      document.sequence.append(try items.sequenceItem(node))
    }
    // What follows looks at neighbours, which are not all there when one could not be read.
    guard errors.count == before else { return }
    errors += SequenceRules.violations(of: document.sequence, in: DocumentPlace(node))
  }
}
