public import MediaCore

/// Reads JSON (RFC 8259) and remembers where everything stands.
///
/// Stricter than most: an object must not repeat a key, text must be valid UTF-8 (a byte order mark at the start is
/// skipped, UTF-16 is refused by name), escapes must not form lone surrogates, nothing may follow the value. Nothing is looser than the
/// standard: comments, trailing commas, single quotes and NaN are errors that say so.
public struct JSONParser {
  /// Bounds that keep a hostile document small in memory and shallow on the stack.
  public struct Bounds: Sendable {
    /// Arrays and objects inside each other. Default 64.
    public var depth = 64
    /// Size of the text. Default 64 MiB.
    public var byteCount = 64 << 20

    public init() {}
  }

  private let bytes: [UInt8]
  private let source: JSONSource
  private let bounds: Bounds
  private var index = 0
  private var line: Int
  private var lineStart = 0
  private var path: [JSONPath.Component] = []
  /// Scalars before `index` on this line that take more than one byte, as the bytes they have too many.
  private var continuationBytes = 0

  /// The document in `bytes`. Throws `usage` with line, column and path when it is not JSON, `refused` when it exceeds a bound.
  public static func parse(_ bytes: [UInt8], source: JSONSource, bounds: Bounds = Bounds()) throws(MediaError) -> JSONNode {
    guard bytes.count <= bounds.byteCount else {
      throw MediaError(
        .refused, source.operation, path: source.name,
        reason: "\(bytes.count) bytes exceed the \(bounds.byteCount) that a document may have")
    }
    var parser = JSONParser(bytes: bytes, source: source, bounds: bounds)
    let value = try parser.document()
    return JSONNode(value: value, path: .root, source: source)
  }

  /// The document in `text`.
  public static func parse(_ text: String, source: JSONSource, bounds: Bounds = Bounds()) throws(MediaError) -> JSONNode {
    try parse(Array(text.utf8), source: source, bounds: bounds)
  }

  private init(bytes: [UInt8], source: JSONSource, bounds: Bounds) {
    self.bytes = bytes
    self.source = source
    self.bounds = bounds
    line = source.firstLine
  }

  // MARK: Grammar

  private mutating func document() throws(MediaError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      index = 3
      lineStart = 3
    } else if bytes.prefix(64).contains(where: { $0 < 0x20 && ![0, 9, 10, 13].contains($0) }) {
      throw failure("this is no text", advice: "name a JSON file")
    } else if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) || bytes.prefix(2).contains(0) {
      throw failure("the text is UTF-16 or UTF-32", advice: "save it as UTF-8")
    }
    try skipSpace()
    guard index < bytes.count else { throw failure("the document is empty") }
    let value = try value()
    try skipSpace()
    guard index == bytes.count else { throw failure("expected the end of the document, found \(found())") }
    return value
  }

  private mutating func value() throws(MediaError) -> JSONValue {
    let start = position
    guard index < bytes.count else { throw failure("the document ends where a value should stand") }
    switch bytes[index] {
    case UInt8(ascii: "{"): return JSONValue(.object(try object()), at: start)
    case UInt8(ascii: "["): return JSONValue(.array(try array()), at: start)
    case UInt8(ascii: "\""): return JSONValue(.string(try string()), at: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return JSONValue(.number(try number()), at: start)
    case UInt8(ascii: "'"): throw failure("strings stand in double quotes")
    default:
      let word = self.word()
      switch word {
      case "true", "false", "null":
        index += word.utf8.count
        return JSONValue(word == "null" ? .null : .bool(word == "true"), at: start)
      case "": throw failure("expected a value, found \(found())")
      case "NaN", "Infinity": throw failure("JSON has no \(word)")
      default: throw failure("expected a value, found the word \(word)", advice: "texts stand in double quotes")
      }
    }
  }

  private mutating func array() throws(MediaError) -> [JSONValue] {
    try enter()
    var elements: [JSONValue] = []
    index += 1
    try skipSpace()
    if next(is: UInt8(ascii: "]")) { return elements }
    while true {
      path.append(.index(elements.count))
      elements.append(try value())
      path.removeLast()
      try skipSpace()
      if next(is: UInt8(ascii: "]")) { return elements }
      try separator("array", close: "]")
    }
  }

  private mutating func object() throws(MediaError) -> [JSONMember] {
    try enter()
    var members: [JSONMember] = []
    var first: [[UInt8]: JSONPosition] = [:]
    index += 1
    try skipSpace()
    if next(is: UInt8(ascii: "}")) { return members }
    while true {
      let keyPosition = position
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
        throw failure("expected a key in double quotes, found \(found())")
      }
      let key = try string()
      path.append(.key(key))
      // Compared byte by byte: Swift's == would take canonically equivalent spellings for one key.
      if let earlier = first.updateValue(keyPosition, forKey: Array(key.utf8)) {
        throw failure("the key \(JSON.string(key).text(indent: nil)) is already given at \(earlier)", at: keyPosition)
      }
      try skipSpace()
      guard next(is: UInt8(ascii: ":")) else { throw failure("expected a colon after the key, found \(found())") }
      try skipSpace()
      members.append(JSONMember(key: key, keyPosition: keyPosition, value: try value()))
      path.removeLast()
      try skipSpace()
      if next(is: UInt8(ascii: "}")) { return members }
      try separator("object", close: "}")
    }
  }

  /// A comma, and what follows it is not the closing bracket.
  private mutating func separator(_ container: String, close: Character) throws(MediaError) {
    let comma = position
    guard next(is: UInt8(ascii: ",")) else {
      throw failure("expected a comma or \(close) in the \(container), found \(found())")
    }
    try skipSpace()
    if index < bytes.count, bytes[index] == close.asciiValue {
      throw failure("a comma before \(close) is not allowed", at: comma)
    }
  }

  private mutating func enter() throws(MediaError) {
    guard path.count < bounds.depth else {
      throw MediaError(
        .refused, source.operation, path: source.name,
        reason: "\(position): arrays and objects stand more than \(bounds.depth) deep inside each other")
    }
  }

  private mutating func number() throws(MediaError) -> JSONNumber {
    let start = index
    let startPosition = position
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    let integerStart = index
    skipDigits()
    let integerDigits = index - integerStart
    guard integerDigits > 0 else { throw failure("a number needs a digit after the minus sign") }
    guard integerDigits == 1 || bytes[integerStart] != UInt8(ascii: "0") else {
      throw failure("a number must not begin with 0", at: startPosition)
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      guard skipDigits() > 0 else { throw failure("a number needs a digit after the point") }
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
      guard skipDigits() > 0 else { throw failure("a number needs a digit in its exponent") }
    }
    if !word().isEmpty {
      throw failure("expected the end of the number, found \(found())", advice: "values with a unit stand in double quotes")
    }
    return JSONNumber(literal: String(decoding: bytes[start..<index], as: UTF8.self))
  }

  @discardableResult private mutating func skipDigits() -> Int {
    let start = index
    while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
    return index - start
  }

  // MARK: Strings

  private mutating func string() throws(MediaError) -> String {
    let start = position
    index += 1
    var text: [UInt8] = []
    while true {
      guard index < bytes.count else { throw failure("the string that begins here has no end", at: start) }
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
      case 0x0A, 0x0D: throw failure("the string that begins at \(start) is not closed on its line", advice: "write a line break as \\n")
      case 0..<0x20: throw failure("a control character must be written as \\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      case 0..<0x80:
        text.append(byte)
        index += 1
      default:
        let length = try scalarLength()
        text.append(contentsOf: bytes[index..<index + length])
        index += length
        continuationBytes += length - 1
      }
    }
  }

  private mutating func escape() throws(MediaError) -> [UInt8] {
    guard index + 1 < bytes.count else { throw failure("the document ends within a string") }
    let plain: UInt8? =
      switch bytes[index + 1] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes[index + 1]
      case UInt8(ascii: "b"): 0x08
      case UInt8(ascii: "f"): 0x0C
      case UInt8(ascii: "n"): 0x0A
      case UInt8(ascii: "r"): 0x0D
      case UInt8(ascii: "t"): 0x09
      default: nil
      }
    if let plain {
      index += 2
      return [plain]
    }
    guard bytes[index + 1] == UInt8(ascii: "u") else {
      throw failure("there is no such escape in a string", advice: "write a backslash as \\\\")
    }
    let start = position
    var code = UInt32(try hexUnit())
    if (0xD800..<0xDC00).contains(code), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
    {
      let low = UInt32(try hexUnit())
      guard (0xDC00..<0xE000).contains(low) else { throw failure("the escape is half of a surrogate pair", at: start) }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("the escape is half of a surrogate pair", at: start) }
    return Array(String(scalar).utf8)
  }

  /// `\uXXXX` at the index.
  private mutating func hexUnit() throws(MediaError) -> UInt16 {
    var unit: UInt16 = 0
    for offset in 2..<6 {
      guard index + offset < bytes.count, let digit = Character(Unicode.Scalar(bytes[index + offset])).hexDigitValue else {
        throw failure("\\u needs four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
    }
    index += 6
    return unit
  }

  /// The bytes of the UTF-8 sequence at the index (Unicode 15, table 3-7: no overlong forms, no surrogates).
  private func scalarLength() throws(MediaError) -> Int {
    let lead = bytes[index]
    let length =
      switch lead {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 0
      }
    var isValid = length > 0 && index + length <= bytes.count
    if isValid {
      let second = bytes[index + 1]
      let allowed: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
      isValid = allowed.contains(second) && bytes[(index + 2)..<(index + max(2, length))].allSatisfy { $0 & 0xC0 == 0x80 }
    }
    guard isValid else { throw failure("the text is not valid UTF-8", advice: "save it as UTF-8") }
    return length
  }

  // MARK: Cursor

  private mutating func skipSpace() throws(MediaError) {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09: index += 1
      case 0x0A: newLine(1)
      case 0x0D: newLine(index + 1 < bytes.count && bytes[index + 1] == 0x0A ? 2 : 1)
      case UInt8(ascii: "/"), UInt8(ascii: "#"): throw failure("JSON has no comments")
      default: return
      }
    }
  }

  private mutating func newLine(_ length: Int) {
    index += length
    line += 1
    lineStart = index
    continuationBytes = 0
  }

  private mutating func next(is byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private var position: JSONPosition { JSONPosition(line: line, column: index - lineStart - continuationBytes + 1) }

  /// The run of letters at the index.
  private func word() -> String {
    var end = index
    while end < bytes.count, end - index < 40, Character(Unicode.Scalar(bytes[end])).isASCII, Character(Unicode.Scalar(bytes[end])).isLetter
    {
      end += 1
    }
    return String(decoding: bytes[index..<end], as: UTF8.self)
  }

  /// What stands at the index, for messages.
  private func found() -> String {
    guard index < bytes.count else { return "the end of the document" }
    let byte = bytes[index]
    if byte >= 0x80 {
      guard let length = try? scalarLength() else { return "a byte that is not UTF-8" }
      let text = String(decoding: bytes[index..<index + length], as: UTF8.self)
      guard let scalar = text.unicodeScalars.first else { return "a byte that is not UTF-8" }
      switch scalar.properties.generalCategory {
      // They would be unseen, or break the line of the message.
      case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned:
        return "the character U+\(String(scalar.value, radix: 16, uppercase: true))"
      default: return text
      }
    }
    if byte == UInt8(ascii: "\"") { return "a string" }
    return byte < 0x20 || byte == 0x7F ? "a control character" : String(Unicode.Scalar(byte))
  }

  private func failure(_ reason: String, at place: JSONPosition? = nil, advice: String? = nil) -> MediaError {
    source.error(at: place ?? position, path: JSONPath(components: path), reason, advice: advice)
  }
}
