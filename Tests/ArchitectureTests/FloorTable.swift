import Testing

/// The table of targets in ARCHITECTURE.md: who stands on which floor and may import whom.
struct FloorTable {
  struct Row {
    let floor: String
    let target: String
    let mayImport: Set<String>
  }

  let rows: [Row]

  init() throws {
    let text = try SourceTree.read("ARCHITECTURE.md")
    var rows: [Row] = []
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { cell in cell.filter { $0 != "`" }.trimmingPrefix { $0 == " " } }
      guard cells.count >= 4, cells[0].contains("/") else { continue }
      let floor = String(cells[0].prefix { $0 != "/" })
      for target in FloorTable.names(cells[1]) {
        rows.append(Row(floor: floor, target: target, mayImport: Set(FloorTable.names(cells[3]))))
      }
    }
    self.rows = rows
  }

  private static func names(_ cell: some StringProtocol) -> [String] {
    String(cell).split(separator: ",").map { name in name.filter { $0 != " " } }.filter { $0 != "–" && !$0.isEmpty }
  }

  /// Modules of the system that code on a floor may import without a row.
  static func system(for file: SourceTree.File) -> Set<String> {
    let (floor, _) = file.place
    var modules: Set<String> = ["Glibc", "Synchronization"]
    if floor != "Core" { modules.insert("FoundationEssentials") }
    if floor != "Core" && floor != "Media" { modules.insert("Dispatch") }
    return modules
  }
}
