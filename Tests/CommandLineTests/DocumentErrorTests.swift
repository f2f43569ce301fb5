import TestSupport
import Testing

/// Documents that are wrong: refused with line and column, and nothing is written.
@Suite("Bad documents on the command line")
struct DocumentErrorTests {
  static let cases: [(what: String, document: String, says: String)] = [
    ("syntax", #"{ "reel": 1, "sequence": [ { "media": "a.mp4" }, ] }"#, "line 1, column 48"),
    ("unknown key", "{ \"reel\": 1,\n  \"sequenc\": [ { \"media\": \"a.mp4\" } ] }", "line 2, column 3 (sequenc): unknown key"),
    ("duplicate key", #"{ "reel": 1, "reel": 1, "sequence": [ { "media": "a.mp4" } ] }"#, "line 1, column 14 (reel): the key"),
    ("wrong type", #"{ "reel": 1, "sequence": [ { "media": 5 } ] }"#, "line 1, column 39 (sequence[0].media): expected"),
    (
      "negative trim", #"{ "reel": 1, "sequence": [ { "media": "a.mp4", "trim": ["-1s", "2s"] } ] }"#,
      "line 1, column 57 (sequence[0].trim[0])"
    ),
    (
      "transition longer than its clip",
      "{ \"reel\": 1, \"sequence\": [ { \"media\": \"a.mp4\" },\n  { \"transition\": \"crossfade\", \"duration\": \"2s\" }, { \"media\": \"a.mp4\" } ] }",
      "line 2, column 3 (sequence[1]): the transition lasts"
    ),
    (
      "undeclared variable", #"{ "reel": 1, "sequence": [ { "media": "{{hook}}" } ] }"#,
      "line 1, column 39 (sequence[0].media): the variable"
    ),
    (
      "missing variable", #"{ "reel": 1, "variables": { "hook": { "type": "media" } }, "sequence": [ { "media": "{{hook}}" } ] }"#,
      "--set hook=VALUE"
    ),
  ]

  @Test("status 64, line and column, nothing written", arguments: cases)
  func refused(what: String, document: String, says: String) throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4")
    let path = try scratch.write(document, to: "d.json")
    for arguments in [["check", path], ["render", path, "-o", scratch.path("out.mp4")]] {
      let outcome = try ReelProgram.run(arguments)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
    #expect(scratch.names == ["a.mp4", "d.json"])
  }

  @Test("a render has the frames that the plan says")
  func plan() throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4", seconds: 1)
    let path = try scratch.write(
      """
      { "reel": 1, "canvas": { "width": 160, "height": 120, "frameRate": "25" },
        "sequence": [ { "media": "a.mp4" }, { "transition": "crossfade", "duration": "0.4s" }, { "media": "a.mp4" } ] }
      """, to: "d.json")
    let plan = try ReelProgram.json(try ReelProgram.run("render", path, "--plan", "--json"))
    #expect(plan["frames"] as? Int == 40)
    let outcome = try ReelProgram.run("render", path, "-o", scratch.path("out.mp4"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let counted = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0",
      scratch.path("out.mp4"))
    #expect(counted[0] == "40")
  }
}
