import MediaCore
import PositionedJSON
import Testing

private func parse(_ text: String) throws(MediaError) -> JSONNode { try JSONParser.parse(text, source: JSONSource("a.json")) }

private func reason(_ bytes: [UInt8]) -> String {
  do {
    _ = try JSONParser.parse(bytes, source: JSONSource("a.json"))
    return "accepted"
  } catch {
    return error.reason
  }
}

@Suite struct JSONGrammarTests {
  /// The cases of RFC 8259 that parsers are known to get wrong.
  @Test(arguments: [
    "[]", "{}", "[[]   ]", "[\"\"]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[1\n]", " [1]", "[1,null,null,null,2]", "[2] ",
    "[123e65]", "[0e+1]", "[0e1]", "[ 4]", "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]",
    "[20e1]", "[-0]", "[-123]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[123.456789]",
    "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"\":0}", "{\"foo\\u0000bar\": 42}", "{\"a\":[]}", "{\n\"a\": \"b\"\n}",
    "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[\"\\\\u0000\"]", "[\"a/*b*/c/*d//e\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[\"new\\u00A0line\"]", "[\"\u{10FFFF}\"]", "[\"\u{7F}\"]",
    "[\"\u{2028}\"]", "\"\"", "false", "42", "-0.1", "null", "true", "\t\r\n [true]", "{\"a\":1,\"A\":2}", "{\"é\":1,\"e\u{301}\":2}",
  ])
  func acceptsTheStandard(_ text: String) throws { _ = try parse(text) }

  @Test(arguments: [
    "", " ", "[1 true]", "[a\u{E5}]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"", "[x",
    "[3[4]]",
    "[1:2]", "[,]", "[-]", "[   , \"\"]", "[1,]", "[1,,]", "[*]", "[fals]", "[nul]", "[tru]", "[++1234]", "[+1]", "[+Inf]", "[-01]",
    "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e]", "[1.0e+]",
    "[1 000.0]",
    "[1eE2]", "[2.e+3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[Infinity]", "[1+2]", "[0x1]", "[0x42]", "[-1x]", "[1ea]", "[-012]",
    "[012]",
    "[.123]", "[1.2a-3]", "{\"a\":true,}", "{\"x\", null}", "{\"x\"::\"b\"}", "{\"a\":\"a\" 123}", "{key: 'value'}", "{\"a\" b}",
    "{:\"b\"}",
    "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}", "{null:null}", "{\"id\":0,,}", "{'a':0}", "{\"a\":/*c*/1}", "{\"a\":\"b\"}/**/",
    "{\"a\":\"b\"}//",
    "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", "[\"\\uD800\"]",
    "[\"\\uD800\\\"]",
    "[\"\\uD800\\u1\"]", "[\"\\uDFAA\"]", "[\"\\uD800\\u0041\"]", "[\"\\a\"]", "[\"\\u00A\"]", "[\"\\u{1}\"]", "[\"\\x00\"]",
    "[\"\\\\\\\"]", "[\"\\",
    "[\"\u{9}\"]", "[\"a\u{0}a\"]", "[\"new\nline\"]", "['single quote']", "\"", "[True]", "[\"asd\"", "1]", "{}}", "]", "[\u{FEFF}]",
    "[\u{A0}]",
    "[1] x", "\u{2060}[]", "abc", "<.>", "[<null>]", "{\"a\":1}{\"b\":2}", "[\u{0C}]",
  ])
  func refusesTheRest(_ text: String) { #expect(throws: MediaError.self) { try parse(text) } }

  @Test func refusesDuplicateKeysNamingBoth() {
    let text = "{\n  \"canvas\": {\"width\": 1,\n    \"width\": 2}}"
    #expect(reason(Array(text.utf8)) == "line 3, column 5 (canvas.width): the key \"width\" is already given at line 2, column 14")
  }

  @Test(
    arguments: [
      [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0x80], [0xE2, 0x82], [0xFF],
      [0xF0, 0x82, 0x82, 0xAC],
    ] as [[UInt8]])
  func refusesInvalidUTF8AtItsPlace(_ sequence: [UInt8]) {
    let found = reason(Array("{\"é\": \"ä".utf8) + sequence + Array("\"}".utf8))
    #expect(found == "line 1, column 9 (é): the text is not valid UTF-8")
  }

  @Test func skipsAByteOrderMarkAndNamesUTF16() throws {
    let node = try JSONParser.parse([0xEF, 0xBB, 0xBF] + Array("[1]".utf8), source: JSONSource("a"))
    #expect(node.position == JSONPosition(line: 1, column: 1))
    for utf16 in [[0xFE, 0xFF, 0, 0x5B], [0xFF, 0xFE, 0x5B, 0], [0x5B, 0, 0x5D, 0], [0, 0x5B, 0, 0x5D]] as [[UInt8]] {
      #expect(reason(utf16).contains("UTF-16"))
    }
  }

  @Test func refusesDeepNestingAndLargeTexts() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    _ = try parse(nested(64))
    for depth in [65, 100_000] {
      let error = #expect(throws: MediaError.self) { try parse(nested(depth)) }
      #expect(error?.code == .refused)
    }
    var bounds = JSONParser.Bounds()
    bounds.byteCount = 3
    let error = #expect(throws: MediaError.self) { try JSONParser.parse("[10]", source: JSONSource("a"), bounds: bounds) }
    #expect(error?.code == .refused)
  }

  /// Every prefix and every single-byte change either parses or throws; nothing traps.
  @Test func survivesDamage() {
    let text = Array(#"{"reel": 1, "a": [1.5e-3, "x\u00e9\uD83D\uDE39é", true, null], "b": {"c": ""}}"#.utf8)
    for length in 0..<text.count { #expect(reason(Array(text[..<length])) != "accepted") }
    var accepted = 0
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = byte
        if reason(changed) == "accepted" { accepted += 1 }
      }
    }
    #expect(accepted > text.count)
  }
}

@Suite struct JSONPositionTests {
  @Test func positionsCountScalarsAndAllLineEnds() throws {
    let node = try parse("{\n\"a\": 1,\r\n \"é😀\": [\r 2,\t\"ä\", 3]}")
    let members = try #require(node.asObject)
    #expect(members.map(\.node.position) == [JSONPosition(line: 2, column: 6), JSONPosition(line: 3, column: 8)])
    let elements = try #require(members[1].node.asArray)
    #expect(elements.map(\.position.line) == [4, 4, 4])
    #expect(elements.map(\.position.column) == [2, 5, 10])
    #expect(elements[2].path.description == "é😀[2]")
  }

  @Test(arguments: [
    ("{\"sequence\": [{\"trim\": [0, 3}]}", "line 1, column 29 (sequence[0].trim): expected a comma or ] in the array, found }"),
    ("[1,\n]", "line 1, column 3 (top level): a comma before ] is not allowed"),
    ("{\"a b\": 'x'}", "line 1, column 9 ([\"a b\"]): strings stand in double quotes"),
    ("[1, // one\n2]", "line 1, column 5 (top level): JSON has no comments"),
    ("{\"a\": 3s}", "line 1, column 8 (a): expected the end of the number, found s"),
    ("{\"a\": \"x\n\"}", "line 1, column 9 (a): the string that begins at line 1, column 7 is not closed on its line"),
    ("", "line 1, column 1 (top level): the document is empty"),
    ("[1]\n\n]", "line 3, column 1 (top level): expected the end of the document, found ]"),
    ("[1", "line 1, column 3 (top level): expected a comma or ] in the array, found the end of the document"),
  ])
  func errorsNameLineColumnAndPath(_ text: String, _ expected: String) { #expect(reason(Array(text.utf8)) == expected) }

  @Test func rowsCountFromTheirLine() {
    let error = #expect(throws: MediaError.self) { try JSONParser.parse("[", source: JSONSource("rows.jsonl", firstLine: 7)) }
    #expect(error?.reason.hasPrefix("line 7, column 2") == true)
    #expect(error?.code == .usage)
    #expect(error?.description.hasPrefix("cannot read rows.jsonl: line 7") == true)
  }
}

@Suite struct JSONNumberTests {
  @Test(arguments: [
    ("0", 0, 1), ("-0", 0, 1), ("0.0e9999999999", 0, 1), ("1.50", 3, 2), ("-12.5e1", -125, 1), ("1e18", 1_000_000_000_000_000_000, 1),
    ("2500e-4", 1, 4), ("29.97", 2997, 100), ("0.0001", 1, 10000), ("1200", 1200, 1), ("100.0", 100, 1), ("9E-1", 9, 10),
    ("1.5e+2", 150, 1),
    ("0.100000000000000000000000", 1, 10), ("100000000000000000000e-20", 1, 1), ("1e0", 1, 1),
  ])
  func isExact(_ text: String, _ numerator: Int64, _ denominator: Int64) throws {
    #expect(try #require(parse(text).asNumber).exact == Rational(numerator, denominator))
  }

  @Test(arguments: ["1e19", "1234567890123456789", "1e-19", "1e99999999999999999999", "0.1234567890123456789"])
  func saysWhenItCannotBe(_ text: String) throws {
    let number = try #require(parse(text).asNumber)
    #expect(number.exact == nil)
    #expect(number.text == text)
    #expect(throws: MediaError.self) { try parse(text).number() }
  }

  @Test func integersMayBeWrittenWithPoint() throws {
    #expect(
      try ["3", "3.0", "3e2", "3.5", "9223372036854775807"].map { try #require(parse($0).asNumber).integer } == [3, 3, 300, nil, .max])
    #expect(try #require(parse("1e400").asNumber).doubleValue == .infinity)
  }
}
