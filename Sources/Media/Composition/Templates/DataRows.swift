public import MediaCore
import PositionedJSON

/// The rows of a `--data` file: one variant each.
public struct DataRows: Sendable {
  /// One row: its values by column, and the line of the file where it begins.
  public struct Row: Sendable {
    /// From 0.
    public var index: Int
    public var line: Int
    public var values: [String: String]
    /// Why the row cannot be used, with line and column; the other rows still can.
    public var error: MediaError?

    public init(index: Int, line: Int, values: [String: String], error: MediaError? = nil) {
      self.index = index
      self.line = line
      self.values = values
      self.error = error
    }
  }

  /// In the file's order; for JSON Lines in order of first appearance.
  public var columns: [String]
  public var rows: [Row]

  /// Reads CSV (RFC 4180, or with semicolons or tabs; a header names the columns) or JSON Lines (an object of texts, numbers and booleans
  /// on each line), recognised by the first character. UTF-8 or UTF-16. Throws `usage` with line and column for what makes the whole file
  /// unusable; what concerns one row is in the row.
  public init(_ bytes: [UInt8], name: String) throws(MediaError) {
    let source = JSONSource(name, operation: "cannot read rows \(name)")
    let text = try SourceText.decode(bytes, source: source)
    columns = []
    rows = []
    if text.first(where: { !$0.isWhitespace }) == "{" {
      readLines(text, source)
    } else {
      try readTable(text, source)
    }
    guard !rows.isEmpty else { throw MediaError(.usage, source.operation, path: name, reason: "the file holds no rows") }
  }

  private mutating func readLines(_ text: String, _ source: JSONSource) {
    for (offset, line) in SourceText.lines(text).enumerated() where line.contains(where: { !$0.isWhitespace }) {
      var row = Row(index: rows.count, line: offset + 1, values: [:])
      do throws(MediaError) {
        row.values = try object(String(line), JSONSource(source.name, operation: source.operation, firstLine: offset + 1))
      } catch { row.error = error }
      rows.append(row)
    }
  }

  private mutating func object(_ line: String, _ source: JSONSource) throws(MediaError) -> [String: String] {
    let node = try JSONParser.parse(line, source: source)
    guard let members = node.asObject else { throw node.mismatch("an object of values by column") }
    var values: [String: String] = [:]
    for (key, node) in members {
      switch node.value.content {
      case .string(let text): values[key] = text
      case .number(let number): values[key] = number.text
      case .bool(let value): values[key] = value ? "true" : "false"
      // As if the column were not there: the variable's default holds.
      case .null: continue
      case .array, .object: throw node.mismatch("a text, a number or true or false")
      }
      if !columns.contains(key) { columns.append(key) }
    }
    return values
  }

  private mutating func readTable(_ text: String, _ source: JSONSource) throws(MediaError) {
    var reader = CSVReader(text, source: source)
    guard let header = try reader.next() else { return }
    for (index, name) in header.fields.enumerated() {
      let place = JSONPosition(line: header.line, column: header.columns[index])
      guard !name.isEmpty else { throw source.error(at: place, path: .root, "column \(index + 1) has no name") }
      guard !columns.contains(name) else { throw source.error(at: place, path: .root, "there are two columns \"\(name)\"") }
      columns.append(name)
    }
    while let record = try reader.next() {
      var row = Row(index: rows.count, line: record.line, values: [:])
      if record.fields.count == columns.count {
        for (name, value) in zip(columns, record.fields) { row.values[name] = value }
      } else {
        let place = JSONPosition(line: record.line, column: record.columns[min(columns.count, record.columns.count - 1)])
        row.error = source.error(
          at: place, path: .root, "the row has \(record.fields.count) fields, the header \(columns.count)",
          advice: "a field with a separator in it stands in double quotes")
      }
      rows.append(row)
    }
  }
}
