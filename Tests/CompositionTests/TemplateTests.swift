import Composition
import MediaCore
import PositionedJSON
import TestBasics
import Testing

private func rows(_ text: String) throws(MediaError) -> DataRows { try DataRows(Array(text.utf8), name: "rows.csv") }

@Suite struct DataRowsTests {
  @Test func csvWithQuotes() throws {
    let rows = try rows("\u{FEFF}headline,hook\r\n\"Say \"\"hi\"\", now\",a.mp4\r\n\r\n\"two\r\nlines\",\"b,c.mp4\"\n,d.mp4")
    #expect(rows.columns == ["headline", "hook"])
    #expect(rows.rows.map { $0.values["headline"] } == ["Say \"hi\", now", "two\nlines", ""])
    #expect(rows.rows.map { $0.values["hook"] } == ["a.mp4", "b,c.mp4", "d.mp4"])
    #expect(rows.rows.map(\.line) == [2, 4, 6])
  }

  @Test(arguments: ["a;b\n1,5;2\n", "a\tb\n1,5\t2\n", "a,b\r\"1,5\",2"])
  func otherSeparators(_ text: String) throws {
    #expect(try rows(text).rows.first?.values == ["a": "1,5", "b": "2"])
  }

  @Test(arguments: [true, false]) func utf16(_ isLittle: Bool) throws {
    var bytes: [UInt8] = isLittle ? [0xFF, 0xFE] : [0xFE, 0xFF]
    for unit in "a,b\r\nGrüße,😀\r\n".utf16 {
      let pair = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
      bytes += isLittle ? pair : pair.reversed()
    }
    #expect(try DataRows(bytes, name: "a.csv").rows.first?.values == ["a": "Grüße", "b": "😀"])
  }

  @Test func aBadRowLeavesTheOthers() throws {
    let csv = try rows("a,b\n1,2\n3\n4,5,6\n7,8\n")
    #expect(csv.rows.map { $0.error == nil } == [true, false, false, true])
    #expect(csv.rows[2].error?.reason == "line 4, column 5 (top level): the row has 3 fields, the header 2")
    let lines = try rows("{\"a\": 1.50, \"b\": \"x\", \"c\": null}\n\n{\"a\": [1]}\n{\"a\": 1\n{\"a\": true}")
    #expect(lines.rows.map { $0.error == nil } == [true, false, false, true])
    #expect(lines.rows[0].values == ["a": "1.50", "b": "x"])
    #expect(lines.rows[1].error?.reason == "line 3, column 7 (a): expected a text, a number or true or false, found an array of 1")
    #expect(lines.rows[2].error?.reason.hasPrefix("line 4, column 8") == true)
    #expect(lines.rows[3].values == ["a": "true"])
  }

  @Test(arguments: [
    ("", "the file holds no rows"), ("a,b\n", "the file holds no rows"),
    ("a,a\n1,2", "line 1, column 3 (top level): there are two columns \"a\""),
    ("a,\n1,2", "line 1, column 3 (top level): column 2 has no name"),
    ("a,b\n\"x,y\n1,2", "line 2, column 1 (top level): the quote that begins here is not closed"),
    ("a,b\n\"x\"y,2", "line 2, column 4 (top level): text follows a closing quote"),
  ])
  func unusableFiles(_ text: String, _ expected: String) {
    let error = #expect(throws: MediaError.self) { try rows(text) }
    #expect(error?.reason == expected)
    #expect(error?.code.exitStatus == 64)
  }

  /// A table of awkward fields written by RFC 4180's rules reads back the same.
  @Test(arguments: 0..<8) func readsBackWhatIsWritten(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let alphabet: [Character] = ["a", "\"", ",", "\n", ";", "\t", " ", "é", "😀", "'"]
    let table = (0..<20).map { _ in
      (0..<4).map { _ in String((0..<Int.random(in: 1...6, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "x" }) }
    }
    let text =
      "w,x,y,z\n"
      + table.map { row in
        row.map { "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }.joined(
          separator: ",")
      }.joined(separator: "\r\n")
    let read = try rows(text).rows.map { row in ["w", "x", "y", "z"].map { row.values[$0] ?? "" } }
    #expect(read == table)
  }

  @Test func rowsFillTheDocument() throws {
    let rows = try rows("headline,hook,note\nSale!,a.mp4,ignored\n")
    let document = try ReelDocument(
      parsing: Array(exampleDocument.utf8), source: .init("a"),
      options: ReelDocument.Options(values: ["creatorId": "7"], rowValues: rows.rows[0].values))
    #expect(document.clips[0].reference?.name == "a.mp4")
  }
}

@Suite struct NamePatternTests {
  @Test func fillsItsFields() throws {
    let row = DataRows.Row(index: 6, line: 8, values: ["headline": "A/B ../x", "dot": ".hidden"])
    let values = row.nameValues(stem: "ad", fileExtension: "mp4")
    #expect(try NamePattern("{stem}-{index:04}.{ext}").name(values) == "ad-0007.mp4")
    #expect(try NamePattern("{{{row.headline}}}.mp4").name(values) == "{A_B .._x}.mp4")
    #expect(try NamePattern("{row.dot}").name(values) == "_hidden")
  }

  @Test(arguments: ["{", "a}", "{}", "{index:x}", "{index:99}"]) func refusesBadPatterns(_ pattern: String) {
    #expect(throws: MediaError.self) { try NamePattern(pattern) }
  }

  @Test func namesTheMissingField() throws {
    let pattern = try NamePattern("{row.x}")
    let error = #expect(throws: MediaError.self) { try pattern.name(["stem": "a"]) }
    #expect(error?.reason == "the pattern's field {row.x} has no value")
  }
}
