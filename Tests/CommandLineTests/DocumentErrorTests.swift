import Foundation
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

  /// Documents that name FILE in every way that there is.
  static let naming: [(named: String, sequence: String, rest: String)] = [
    ("sequence[0].media", #"{ "media": "FILE" }"#, ""), ("sequence[0].image", #"{ "image": "FILE", "duration": "1s" }"#, ""),
    (
      "sequence[1].map",
      #"{ "media": "a.mp4" }, { "transition": "luma-map", "duration": "0.2s", "map": "FILE" }, { "media": "a.mp4" }"#, ""
    ),
    ("overlays[0].image", #"{ "media": "a.mp4" }"#, #", "overlays": [ { "image": "FILE", "from": "0s", "to": "0.5s" } ]"#),
    ("captions.file", #"{ "media": "a.mp4" }"#, #", "captions": { "file": "FILE" }"#),
    ("fonts[0]", #"{ "media": "a.mp4" }"#, #", "fonts": ["FILE"]"#),
    ("audio.music.file", #"{ "media": "a.mp4" }"#, #", "audio": { "music": { "file": "FILE" } }"#),
  ]

  @Test("a file that is missing: 66, with the line and column that name it", arguments: naming)
  func missing(named: String, sequence: String, rest: String) throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4")
    let text = "{ \"reel\": 1,\n  \"sequence\": [\n    \(sequence)\n  ]\(rest.replacing(", ", with: ",\n  ", maxReplacements: 1)) }"
      .replacing("FILE", with: "nope")
    let path = try scratch.write(text, to: "d.json")
    let before = text.split(separator: "\"nope\"")[0].split(separator: "\n", omittingEmptySubsequences: false)
    let place = "\(path) line \(before.count), column \((before.last?.count ?? 0) + 1) (\(named)) names it"
    for arguments in [
      ["check", path], ["render", path, "-o", scratch.path("out.mp4")], ["render", path, "--frame", "0", scratch.path("f.png")],
    ] {
      let outcome = try ReelProgram.run(arguments)
      #expect(outcome.status == 66, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("cannot read \(scratch.path("nope")): No such file") && outcome.errors.contains(place), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
    let json = try ReelProgram.json(try ReelProgram.run("check", path, "--json"))
    #expect((json["error"] as? [String: Any])?["file"] as? String == scratch.path("nope"))
    #expect(scratch.names == ["a.mp4", "d.json"])
  }

  @Test("a file that a timeline names is told by its place in the document that the timeline means")
  func timeline() throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4")
    let path = try scratch.write(
      #"{ "reel": 1, "sequence": [ { "color": "red", "duration": "1s" }, { "media": "a.mp4" } ] }"#, to: "d.json")
    #expect(try ReelProgram.run("render", path, "--export-otio", scratch.path("cut.otio")).status == 0)
    let whole = try ReelProgram.run("check", scratch.path("cut.otio"))
    #expect(whole.status == 0, "\(whole.errors)")
    try FileManager.default.removeItem(atPath: scratch.path("a.mp4"))
    let outcome = try ReelProgram.run("check", scratch.path("cut.otio"))
    #expect(outcome.status == 66 && outcome.errors.contains("cut.otio (as a document) line"), "\(outcome.errors)")
    #expect(outcome.errors.contains("(sequence[1].media) names it"), "\(outcome.errors)")
  }

  @Test("a file that is no media: 65, with its place; --verbose tells of every one that is missing")
  func unusable() throws {
    let scratch = try Scratch()
    try scratch.write("This is no video.\n", to: "text.mp4")
    let path = try scratch.write("{ \"reel\": 1, \"sequence\": [\n{ \"media\": \"text.mp4\" } ] }", to: "d.json")
    let outcome = try ReelProgram.run("check", path)
    #expect(outcome.status == 65 && outcome.errors.contains("line 2, column 12 (sequence[0].media) names it"), "\(outcome.errors)")
    let two = try scratch.write("{ \"reel\": 1, \"sequence\": [\n{ \"media\": \"b.mp4\" },\n {\"media\": \"c.mp4\" } ] }", to: "two.json")
    let both = try ReelProgram.run("check", two, "--verbose")
    #expect(both.status == 66)
    let lines = both.errors.split(separator: "\n")
    #expect(lines.first?.contains("b.mp4") == true && lines.first?.contains("line 2, column 12") == true, "\(both.errors)")
    #expect(lines.dropFirst().contains { $0.contains("c.mp4") && $0.contains("line 3, column 12") }, "\(both.errors)")
  }

  static let frames: [(what: String, status: Int32, says: String, arguments: [String])] = [
    ("the end", 64, "1.000s is beyond its end (it lasts 1.000s; its last frame is 24f)", ["--frame", "1s", "f.png"]),
    ("the frame after the last", 64, "frame 25 is beyond its end", ["--frame", "25f", "f.png"]),
    ("centuries beyond", 64, "is beyond its end", ["--frame", "9223372036s", "f.png"]),
    ("the highest number", 64, "is beyond its end", ["--frame", "9223372036854775807f", "f.png"]),
    ("before the start", 64, "-0.010s is before its start", ["--frame", "-0.01s", "f.png"]),
    ("a negative number", 64, "is not a time", ["--frame", "-1f", "f.png"]),
    ("no time", 64, "is not a time", ["--frame", "soon", "f.png"]),
    ("an unknown suffix", 64, ".tif", ["--frame", "0", "f.tif"]), ("a video's suffix", 64, ".mp4", ["--frame", "0", "f.mp4"]),
    ("no file", 64, "needs a file", ["--frame", "0"]), ("standard output", 64, "standard output", ["--frame", "0", "-"]),
    ("a video beside it", 64, "--output does not go with --frame", ["--frame", "0", "f.png", "-o", "f.mp4"]),
    ("a plan beside it", 64, "--frame does not go with --plan", ["--frame", "0", "f.png", "--plan"]),
    ("no folder", 73, "create the folder first", ["--frame", "0", "none/f.png"]),
    ("a folder that takes no file", 73, "/proc", ["--frame", "0", "/proc/f.png"]),
    ("a device", 73, "device", ["--frame", "0", "/dev/full"]), ("a file that is there", 73, "--overwrite", ["--frame", "0", "a.mp4"]),
    ("a folder in its place", 73, "folder", ["--frame", "0", "."]),
    ("a name of 256 bytes", 73, "at most 255 bytes", ["--frame", "0", String(repeating: "f", count: 252) + ".png"]),
  ]

  @Test("one frame that cannot be drawn or written: one line, its status, and nothing written", arguments: frames)
  func frame(what: String, status: Int32, says: String, arguments: [String]) throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4")
    let path = try scratch.write(
      #"{ "reel": 1, "canvas": { "width": 160, "height": 120, "frameRate": "25" }, "sequence": [ { "media": "a.mp4" } ] }"#, to: "d.json")
    let files = Set(["f.png", "f.tif", "f.mp4", "none/f.png", "a.mp4", "."])
    let words = arguments.map { files.contains($0) || $0.hasPrefix("ff") ? scratch.path($0) : $0 }
    let outcome = try ReelProgram.run(["render", path] + words)
    #expect(outcome.status == status && outcome.errors.contains(says), "\(outcome.status) \(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
    #expect(scratch.names == ["a.mp4", "d.json"])
  }

  @Test("an output's name may have 255 bytes; a longer one is refused before the work")
  func longName() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    let outcome = try ReelProgram.run("encode", clip, "-o", scratch.path(String(repeating: "f", count: 252) + ".mp4"))
    #expect(outcome.status == 73 && outcome.errors.contains("at most 255 bytes"), "\(outcome.errors)")
    for length in [239, 251] {
      let fits = try ReelProgram.run("encode", clip, "-o", scratch.path(String(repeating: "f", count: length) + ".mp4"))
      #expect(fits.status == 0, "\(fits.errors)")
    }
    #expect(scratch.names.count == 5)
    // The same name for a folder.
    try FileManager.default.copyItem(atPath: clip, toPath: scratch.path("b.mp4"))
    let folder = try ReelProgram.run("encode", clip, scratch.path("b.mp4"), "-o", scratch.path(String(repeating: "g", count: 255)) + "/")
    #expect(folder.status == 0, "\(folder.errors)")
  }

  @Test("a frame of a document that wants a mark: refused without its key, marked with it")
  func markedFrame() throws {
    let scratch = try Scratch()
    let clip = scratch.path("big.mp4")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "mandelbrot=size=1280x720:rate=25", "-frames:v", "5", "-c:v", "libx264", "-crf",
        "16",
        "-pix_fmt", "yuv420p", clip,
      ])
    #expect(made.status == 0, "\(made.errors)")
    let path = try scratch.write(
      """
      { "reel": 1, "canvas": { "width": 1280, "height": 720, "frameRate": "25" }, "sequence": [ { "media": "big.mp4" } ],
        "watermark": { "id": "00000000000003e8" } }
      """, to: "d.json")
    let refused = try ReelProgram.run("render", path, "--frame", "2f", scratch.path("f.png"))
    #expect(refused.status == 64 && refused.errors.contains("nothing unmarked leaves"), "\(refused.errors)")
    #expect(!scratch.exists("f.png"))
    let key = scratch.path("brand.key")
    #expect(try ReelProgram.run("watermark", "keygen", "-o", key).status == 0)
    let drawn = try ReelProgram.run("render", path, "--frame", "2f", scratch.path("f.png"), "--key", key)
    #expect(drawn.status == 0, "\(drawn.errors)")
    let found = try ReelProgram.json(try ReelProgram.run("watermark", "detect", scratch.path("f.png"), "--key", key, "--json"))
    let marks = ((found["files"] as? [[String: Any]])?.first?["marks"] as? [[String: Any]]) ?? []
    #expect(marks.first?["id"] as? String == "00000000000003e8", "\(found)")
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
