/// Aligned columns for people.
public struct TextTable: Sendable {
  private var rows: [[String]] = []

  public init() {}

  public mutating func add(_ cells: String...) { rows.append(cells) }
  public mutating func add(_ cells: [String]) { rows.append(cells) }

  public var isEmpty: Bool { rows.isEmpty }

  /// The rows, each column as wide as its widest cell, two spaces between columns, no spaces at line ends.
  /// - Parameter indent: Spaces before each row. Default 0.
  public func text(indent: Int = 0) -> String {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    let margin = String(repeating: " ", count: indent)
    return rows.map { row in
      var line = margin + row.enumerated().map { $1.padded(to: widths[$0]) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
