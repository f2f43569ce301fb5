public import MediaCore

/// A pattern for output names: `{stem}-{index:04}.{ext}`, `{row.headline}`.
public struct NamePattern: Sendable {
  private enum Part: Sendable {
    case text(String)
    case field(String, width: Int)
  }

  private let parts: [Part]

  /// Throws `usage` when a brace is not closed or a width is not a number of 0...20. `{{` and `}}` stand for braces.
  public init(_ pattern: String) throws(MediaError) {
    var parts: [Part] = []
    var text = ""
    var rest = pattern[...]
    func failure(_ reason: String) -> MediaError {
      MediaError(.usage, "cannot read the name pattern \(pattern)", reason: reason, advice: "for example {stem}-{index:04}.mp4")
    }
    while let character = rest.popFirst() {
      if character == "{" || character == "}", rest.first == character {
        text.append(character)
        rest.removeFirst()
      } else if character == "{" {
        guard let close = rest.firstIndex(of: "}") else { throw failure("a brace is not closed") }
        let inner = rest[..<close].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = inner.first, !name.isEmpty else { throw failure("a field has no name") }
        var width = 0
        if inner.count == 2 {
          guard let number = Int(inner[1]), (0...20).contains(number) else { throw failure("\(inner[1]) is not a width") }
          width = number
        }
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(.field(String(name), width: width))
        rest = rest[rest.index(after: close)...]
      } else if character == "}" {
        throw failure("a brace is closed that was not opened")
      } else {
        text.append(character)
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    self.parts = parts
  }

  /// The name with its fields filled in. A value becomes one safe file name part: `/`, control characters and leading dots are replaced,
  /// and it is cut to 80 characters. Throws `usage` naming a field that has no value.
  public func name(_ values: [String: String]) throws(MediaError) -> String {
    var name = ""
    for part in parts {
      switch part {
      case .text(let text): name += text
      case .field(let field, let width):
        guard let value = values[field] else {
          throw MediaError(
            .usage, "cannot name the output", reason: "the pattern's field {\(field)} has no value",
            advice: "known here: \(values.keys.sorted().joined(separator: ", "))")
        }
        let safe = NamePattern.safe(value)
        let isNumber = !safe.isEmpty && safe.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        name += String(repeating: isNumber ? "0" : " ", count: isNumber ? max(0, width - safe.count) : 0) + safe
      }
    }
    guard !name.isEmpty, name != ".", name != "..", name.utf8.count <= 255 || name.contains("/") else {
      throw MediaError(.usage, "cannot name the output", reason: "the pattern gives \"\(name.prefix(60))\", which is not a file name")
    }
    return name
  }

  private static func safe(_ value: String) -> String {
    let kept = value.prefix(80).map { character -> Character in
      guard let scalar = character.unicodeScalars.first, character != "/", scalar.value >= 32, scalar.value != 127 else { return "_" }
      return character
    }
    return String(kept.first == "." ? ["_"] + kept.dropFirst() : kept)
  }
}

extension DataRows.Row {
  /// The values of a name pattern for this row: `{index}` (from 1), `{row.column}`, `{stem}` and `{ext}`.
  public func nameValues(stem: String, fileExtension: String) -> [String: String] {
    var result = ["index": String(index + 1), "stem": stem, "ext": fileExtension]
    for (column, value) in values { result["row." + column] = value }
    return result
  }
}
