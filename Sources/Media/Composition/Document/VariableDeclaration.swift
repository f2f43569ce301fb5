import MediaCore
import PositionedJSON

/// A variable of a document: a hole that `--set`, a row of `--data` or its default fills.
public struct VariableDeclaration: Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Any text.
    case text
    /// A file: a path relative to the document, or a URL.
    case media
    /// A watermark id: 16 hexadecimal digits or a decimal number.
    case id
    case number
    /// `#rrggbb` or a colour's name.
    case color
    /// `1.5s`, `250ms`, `00:01.5`, `45f`.
    case time

    /// What a value must look like, for messages.
    var expectation: String {
      switch self {
      case .text: "a text"
      case .media: "a file name"
      case .id: "an id (16 hexadecimal digits or a decimal number)"
      case .number: "a number"
      case .color: "a colour (#rrggbb or a name)"
      case .time: "a time (1.5s, 250ms, 00:01.5)"
      }
    }

    func accepts(_ text: String) -> Bool {
      switch self {
      case .text: true
      case .media: !text.isEmpty && !text.utf8.contains(0)
      case .id: WatermarkRequest.id(text) != nil
      case .number: (try? JSONParser.parse(text, source: JSONSource("value")))?.asNumber?.exact != nil
      case .color: ReelColor(text) != nil
      case .time: TimePosition(text) != nil
      }
    }
  }

  public var name: String
  public var kind: Kind
  public var defaultValue: String?
  public var place: DocumentPlace
}

/// Fills `{{name}}` in the strings of a document.
///
/// A string that is nothing but `{{name}}` becomes the value itself (a number variable gives a number); within a longer
/// string the value is inserted as text. `\{{` stands for two braces.
struct VariableSubstitution {
  let declarations: [VariableDeclaration]
  let values: [String: String]
  let source: JSONSource
  private(set) var used: Set<String> = []

  init(declarations: [VariableDeclaration], values: [String: String], source: JSONSource) {
    self.declarations = declarations
    self.values = values
    self.source = source
  }

  mutating func apply(to node: JSONNode) throws(MediaError) -> JSONNode {
    JSONNode(value: try value(node), path: node.path, source: node.source)
  }

  private mutating func value(_ node: JSONNode) throws(MediaError) -> JSONValue {
    switch node.value.content {
    case .null, .bool, .number: return node.value
    case .string(let text): return text.utf8.contains(UInt8(ascii: "{")) ? try string(text, node) : node.value
    case .array:
      var elements: [JSONValue] = []
      for element in node.asArray ?? [] { elements.append(try value(element)) }
      return JSONValue(.array(elements), at: node.position)
    case .object(let members):
      var result: [JSONMember] = []
      for (member, child) in zip(members, node.asObject ?? []) {
        result.append(JSONMember(key: member.key, keyPosition: member.keyPosition, value: try value(child.node)))
      }
      return JSONValue(.object(result), at: node.position)
    }
  }

  private mutating func string(_ text: String, _ node: JSONNode) throws(MediaError) -> JSONValue {
    var output = ""
    var rest = text[...]
    var pieces = 0
    var only: VariableDeclaration?
    while let open = rest.firstRange(of: "{{") {
      if rest[..<open.lowerBound].hasSuffix("\\") {
        output += rest[..<open.lowerBound].dropLast() + "{{"
        rest = rest[open.upperBound...]
        pieces += 1
        continue
      }
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
        throw node.error("{{ without }}", advice: "write \\\\{{ for two braces")
      }
      let name = String(rest[open.upperBound..<close.lowerBound].filter { $0 != " " })
      let declaration = try declaration(name, node)
      if open.lowerBound > rest.startIndex { pieces += 1 }
      output += rest[..<open.lowerBound]
      output += try inserted(declaration, node)
      pieces += 1
      only = declaration
      rest = rest[close.upperBound...]
    }
    let isWhole = pieces == 1 && rest.isEmpty
    if isWhole, only?.kind == .number {
      let number = try JSONParser.parse(output, source: source)
      return JSONValue(number.value.content, at: node.position)
    }
    return JSONValue(.string(output + rest), at: node.position)
  }

  private mutating func declaration(_ name: String, _ node: JSONNode) throws(MediaError) -> VariableDeclaration {
    guard let declaration = declarations.first(where: { $0.name == name }) else {
      let nearest = NearestMatch.find(name, among: declarations.map(\.name))
      throw node.error(
        "the variable \"\(name)\" is not declared",
        advice: nearest.map { "did you mean \"\($0)\"?" } ?? "declare it under variables")
    }
    used.insert(name)
    return declaration
  }

  private func inserted(_ declaration: VariableDeclaration, _ node: JSONNode) throws(MediaError) -> String {
    guard let value = values[declaration.name] ?? declaration.defaultValue else {
      throw node.error(
        "the variable \"\(declaration.name)\" has no value and no default", advice: "give one with --set \(declaration.name)=VALUE")
    }
    guard declaration.kind.accepts(value) else {
      let shown = JSON.string(String(value.prefix(60))).text(indent: nil)
      throw node.error("the variable \"\(declaration.name)\" is \(shown), which is not \(declaration.kind.expectation)")
    }
    return value
  }
}
