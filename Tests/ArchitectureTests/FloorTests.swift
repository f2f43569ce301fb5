import Testing

@Suite("Floors")
struct FloorTests {
  @Test("the table names every folder below Sources/ and nothing else")
  func tableMatchesFolders() throws {
    let table = try FloorTable()
    let listed = Set(table.rows.map { "\($0.floor)/\($0.target)" })
    let present = Set(
      try SourceTree.files(below: "Sources", suffixes: [".swift", ".h", ".c", ".modulemap"]).map {
        "\($0.place.floor)/\($0.place.target)"
      })
    #expect(listed.count == table.rows.count, "a target stands twice in the table")
    #expect(present.subtracting(listed) == [], "folders without a row")
    #expect(listed.subtracting(present) == [], "rows without a folder")
  }

  @Test("a floor uses only floors below it and its own")
  func arrowsPointDown() throws {
    let order = ["C", "Core", "Media", "Operations", "Reelwright", "Apps"]
    let rows = try FloorTable().rows
    for row in rows {
      let height = try #require(order.firstIndex(of: row.floor))
      for name in row.mayImport {
        let other = try #require(rows.first { $0.target == name }, "\(row.target) may import \(name), which is no target")
        #expect(try #require(order.firstIndex(of: other.floor)) <= height, "\(row.target) looks up to \(name)")
      }
    }
  }

  @Test("every import is listed in the table")
  func importsAreListed() throws {
    let rows = try FloorTable().rows
    var seen = 0
    for file in try SourceTree.files(below: "Sources") {
      let (_, target) = file.place
      let row = try #require(rows.first { $0.target == target })
      let allowed = row.mayImport.union(FloorTable.system(for: file))
      for module in file.imports {
        seen += 1
        #expect(allowed.contains(module), "\(file.path) imports \(module)")
      }
    }
    #expect(seen > 50, "the reader of imports sees nothing")
  }

  @Test("the reader of imports understands every form")
  func importForms() {
    let file = SourceTree.File(
      path: "Sources/Core/X/Y.swift",
      text: "import A\npublic import B\n@_exported public import C\ninternal import D // why\n// import E\nlet important = 1")
    #expect(file.imports == ["A", "B", "C", "D"])
  }
}
