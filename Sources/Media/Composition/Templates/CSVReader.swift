import MediaCore
import PositionedJSON

/// Reads comma-separated records (RFC 4180): fields in double quotes may hold separators, line breaks and doubled quotes. The separator is
/// the comma, or the semicolon or tab when the first line has more of them outside quotes (spreadsheets of many locales write those).
/// Empty lines are passed over.
struct CSVReader {
  struct Record {
    var line: Int
    var fields: [String]
    /// Where each field begins, from 1.
    var columns: [Int]
  }

  private let scalars: [Unicode.Scalar]
  private let source: JSONSource
  private let separator: Unicode.Scalar
  private var index = 0
  private var line = 1
  private var lineStart = 0

  init(_ text: String, source: JSONSource) {
    scalars = Array(text.unicodeScalars)
    self.source = source
    separator = CSVReader.separator(of: scalars)
  }

  private static func separator(of scalars: [Unicode.Scalar]) -> Unicode.Scalar {
    var counts: [Unicode.Scalar: Int] = [",": 0, ";": 0, "\t": 0]
    var isQuoted = false
    for scalar in scalars {
      if scalar == "\"" { isQuoted.toggle() }
      if isQuoted { continue }
      if scalar == "\n" || scalar == "\r" { break }
      counts[scalar]? += 1
    }
    let commas = counts[","] ?? 0
    if let semicolons = counts[";"], semicolons > commas { return ";" }
    if let tabs = counts["\t"], tabs > commas { return "\t" }
    return ","
  }

  /// The next record, nil at the end. Throws where a quote is not closed, or text follows a closing quote.
  mutating func next() throws(MediaError) -> Record? {
    while index < scalars.count, isLineEnd(scalars[index]) { endLine() }
    guard index < scalars.count else { return nil }
    var record = Record(line: line, fields: [], columns: [])
    while true {
      record.columns.append(index - lineStart + 1)
      record.fields.append(index < scalars.count && scalars[index] == "\"" ? try quoted() : plain())
      guard index < scalars.count, scalars[index] == separator else { break }
      index += 1
    }
    if index < scalars.count { endLine() }
    return record
  }

  private func isLineEnd(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || scalar == "\r" }

  private mutating func endLine() {
    index += scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n" ? 2 : 1
    line += 1
    lineStart = index
  }

  private mutating func plain() -> String {
    var text = String.UnicodeScalarView()
    while index < scalars.count, scalars[index] != separator, !isLineEnd(scalars[index]) {
      text.append(scalars[index])
      index += 1
    }
    return String(text)
  }

  private mutating func quoted() throws(MediaError) -> String {
    let start = JSONPosition(line: line, column: index - lineStart + 1)
    var text = String.UnicodeScalarView()
    index += 1
    while true {
      guard index < scalars.count else { throw source.error(at: start, path: .root, "the quote that begins here is not closed") }
      let scalar = scalars[index]
      if scalar == "\"" {
        index += 1
        guard index < scalars.count, scalars[index] == "\"" else { break }
        text.append("\"")
        index += 1
      } else if isLineEnd(scalar) {
        // A line break inside a field is one, however it is written.
        text.append("\n")
        endLine()
      } else {
        text.append(scalar)
        index += 1
      }
    }
    guard index == scalars.count || scalars[index] == separator || isLineEnd(scalars[index]) else {
      throw source.error(
        at: JSONPosition(line: line, column: index - lineStart + 1), path: .root, "text follows a closing quote",
        advice: "a quote within a quoted field is doubled")
    }
    return String(text)
  }
}
