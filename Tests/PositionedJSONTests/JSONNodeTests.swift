import MediaCore
import PositionedJSON
import Testing

private enum Fit: String, CaseIterable {
  case cover, contain
  case blurFill = "blur-fill"
}

private func failure(_ text: String, _ read: (JSONNode) throws(MediaError) -> Void) -> String {
  do {
    try read(JSONParser.parse(text, source: JSONSource("a.json")))
    return "read"
  } catch {
    return error.reason + (error.advice.map { " (\($0))" } ?? "")
  }
}

@Suite struct JSONNodeTests {
  @Test func readsTypes() throws {
    let node = try JSONParser.parse(#"{"a": 1.5, "b": true, "c": [1, 2], "d": "blur-fill", "e": null}"#, source: JSONSource("a.json"))
    var fields = try node.fields()
    #expect(try fields.required("a").number() == Rational(3, 2))
    #expect(try fields.required("b").bool())
    #expect(try fields.required("c").array().map { try $0.integer() } == [1, 2])
    #expect(try fields.required("d").choice(Fit.self) == .blurFill)
    #expect(fields.optional("e")?.isNull == true)
    #expect(fields.optional("f") == nil)
    try fields.finish()
  }

  @Test func saysWhatWasExpectedAndFound() {
    #expect(
      failure("[1]") { node throws(MediaError) in _ = try node.fields() }
        == "line 1, column 1 (top level): expected an object, found an array of 1")
    #expect(
      failure("\"x\"") { node throws(MediaError) in _ = try node.number() }
        == "line 1, column 1 (top level): expected a number, found the string \"x\"")
    #expect(
      failure("1.5") { node throws(MediaError) in _ = try node.integer() }
        == "line 1, column 1 (top level): expected a whole number, found the number 1.5")
    #expect(
      failure("7") { node throws(MediaError) in _ = try node.integer(in: 1...5) }
        == "line 1, column 1 (top level): 7 is out of range (from 1 to 5)")
    #expect(
      failure("2") { node throws(MediaError) in _ = try node.number(in: .zero...Rational(1, 2)) }
        == "line 1, column 1 (top level): 2 is out of range (from 0 to 0.5)")
    #expect(
      failure("null") { node throws(MediaError) in _ = try node.bool() }
        == "line 1, column 1 (top level): expected true or false, found null")
    #expect(
      failure("{}") { node throws(MediaError) in _ = try node.string() }
        == "line 1, column 1 (top level): expected a text in double quotes, found an empty object")
    #expect(
      failure("\"blurfill\"") { node throws(MediaError) in _ = try node.choice(Fit.self) }
        == "line 1, column 1 (top level): \"blurfill\" is not one of cover, contain, blur-fill (did you mean \"blur-fill\"?)")
  }

  @Test func reportsUnknownAndMissingKeys() {
    let text = "{\"width\": 1,\n \"hieght\": 2}"
    #expect(
      failure(text) { node throws(MediaError) in
        var fields = try node.fields()
        _ = fields.optional("width")
        _ = fields.optional("height")
        try fields.finish()
      } == "line 2, column 2 (hieght): unknown key \"hieght\" (did you mean \"height\"?)")
    #expect(
      failure("{\"zzz\": 2}") { node throws(MediaError) in
        var fields = try node.fields()
        fields.allow("b", "a")
        try fields.finish()
      } == "line 1, column 2 (zzz): unknown key \"zzz\" (known here: a, b)")
    #expect(
      failure("{}") { node throws(MediaError) in
        var fields = try node.fields()
        _ = try fields.required("height")
      } == "line 1, column 1 (top level): the key \"height\" is missing")
  }

  @Test(
    arguments: [
      ("hieght", "height"), ("Width", "width"), ("trim_", "trim"), ("xyz", nil), ("", nil), ("widht", "width"), ("durat", "duration"),
    ] as [(String, String?)])
  func suggestsTheNearest(_ word: String, _ expected: String?) {
    #expect(NearestMatch.find(word, among: ["width", "height", "trim", "duration"]) == expected)
  }
}

@Suite struct JSONWriterTests {
  @Test func keepsTheOrderAndEscapes() {
    let value: JSON = ["schema": 1, "b": [], "a": ["x\"\\\n\u{1}\u{2028}é", 0.5, nil, true, -0.0, 1e21], "c": [:]]
    #expect(
      value.text(indent: nil) == #"{"schema":1,"b":[],"a":["x\"\\\n\u0001\u2028é",0.5,null,true,0,1e+21],"c":{}}"#)
    #expect(JSON.array([1, ["k": 2]]).text() == "[\n  1,\n  {\n    \"k\": 2\n  }\n]")
    #expect(JSON.array([.double(.nan), .double(.infinity)]).text(indent: nil) == "[null,null]")
  }

  @Test(arguments: [0.1, 1.0 / 3, 1e-9, 6.02e23, -123456.789, 2.2250738585072014e-308, 1.7976931348623157e308, 9_007_199_254_740_991])
  func doublesReadBack(_ value: Double) throws {
    let node = try JSONParser.parse(JSON.double(value).text(), source: JSONSource("a"))
    #expect(try #require(node.asNumber).doubleValue == value)
  }

  @Test func whatIsReadIsWrittenTheSame() throws {
    let text = #"{"b":1.50,"a":["\u0000é",true,null,{"x":-1E+5}]}"#
    let node = try JSONParser.parse(text, source: JSONSource("a"))
    #expect(JSON(node.value).text(indent: nil) == text)
  }
}
