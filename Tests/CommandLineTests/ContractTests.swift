import Foundation
import Glibc
import TestSupport
import Testing

/// What scripts rely on beyond the pictures: nothing is replaced unasked, options act or are refused, reports say all and validate.
@Suite("The command contract")
struct ContractTests {
  private let scratch: Scratch
  private let clip: String

  init() throws {
    scratch = try Scratch()
    clip = try scratch.clip("in.mp4")
  }

  private static let hasSchemas = (try? Tool.run("python3", ["-c", "import jsonschema"]).status) == 0

  private func text(_ name: String) -> String { String(decoding: Tool.bytes(of: scratch.path(name)), as: UTF8.self) }

  @Test func aReportReplacesNothingUnasked() throws {
    let before = Tool.bytes(of: clip)
    let out = scratch.path("out.mp4")
    for arguments in [
      ["encode", clip, "-o", out, "--report", clip], ["encode", clip, "-o", out, "--report", out],
      ["encode", clip, "-o", out, "--report", clip, "--overwrite"], ["probe", clip, "--report", scratch.path("./in.mp4")],
    ] {
      let outcome = try ReelProgram.run(arguments)
      #expect(outcome.status == 64 && outcome.errors.contains("this run reads or writes"), "\(arguments): \(outcome.errors)")
    }
    // A file that the command line does not name, but the document does.
    try scratch.write(
      """
      {"reel": 1, "canvas": {"width": 160, "height": 120, "frameRate": "25"}, "sequence": [{"media": "in.mp4"}]}
      """, to: "ad.json")
    let named = try ReelProgram.run("render", scratch.path("ad.json"), "-o", out, "--report", clip, "--overwrite")
    #expect(named.status == 73 && named.errors.contains("no report"), "\(named.errors)")
    try scratch.write("{\"old\": 1}", to: "report.json")
    #expect(try ReelProgram.run("probe", clip, "--report", scratch.path("report.json")).status == 73)
    #expect(text("report.json") == "{\"old\": 1}" && Tool.bytes(of: clip) == before && !scratch.exists("out.mp4"))
    #expect(try ReelProgram.run("probe", clip, "--report", scratch.path("report.json"), "--overwrite").status == 0)
    #expect(text("report.json").contains("\"files\""))
  }

  static let refusals: [ErrorCase] = [
    ErrorCase(what: "a key without an id", status: 64, says: "--watermark-id") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--key", "x"]
    },
    ErrorCase(what: "standard output", status: 64, says: "standard output") { ["encode", $0.path("in.mp4"), "-o", "-"] },
    ErrorCase(what: "standard input", status: 64, says: "standard input") { _ in ["probe", "-"] },
    ErrorCase(what: "a codec that the container does not hold", status: 64, says: "h264 into .webm") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.webm"), "--codec", "h264"]
    },
    ErrorCase(what: "a quality beyond the codec's scale", status: 64, says: "0 to 51") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--crf", "60"]
    },
    ErrorCase(what: "a bit rate without its unit", status: 64, says: "as in 100k") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--bitrate", "100"]
    },
    ErrorCase(what: "a preset for documents", status: 64, says: "gif") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--preset", "gif"]
    },
    ErrorCase(what: "a label without a value", status: 64, says: "NAME=VALUE") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--label", "bad"]
    },
    ErrorCase(what: "help misspelt", status: 64, says: "did you mean --help?") { _ in ["encode", "--hlep"] },
    ErrorCase(what: "a limit in which no thread fits", status: 77, says: "--limit memory") {
      ["encode", $0.path("in.mp4"), "-o", $0.path("out.mp4"), "--limit", "memory=1"]
    },
    ErrorCase(what: "a video as a document", status: 64, says: "no text") { ["render", $0.path("in.mp4"), "-o", $0.path("out.mp4")] },
  ]

  @Test(arguments: refusals)
  func optionsActOrAreRefused(_ refusal: ErrorCase) throws {
    let before = scratch.names
    let outcome = try ReelProgram.run(refusal.make(scratch))
    #expect(outcome.status == refusal.status && outcome.errors.contains(refusal.says), "\(outcome)")
    #expect(outcome.errors.hasPrefix("reel: ") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(scratch.names == before)
  }

  @Test func aFolderWithOneFileMakesAFolder() throws {
    try FileManager.default.createDirectory(atPath: scratch.path("one"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: clip, toPath: scratch.path("one/in.mp4"))
    #expect(try ReelProgram.run("encode", scratch.path("one"), "-o", scratch.path("made"), "--speed", "ultrafast").status == 0)
    #expect(scratch.exists("made/in.mp4"))
    #expect(try ReelProgram.run("encode", scratch.path("one"), "-o", scratch.path("none/at/all"), "--crf", "60").status == 64)
    #expect(!scratch.exists("none"))
    try scratch.write("", to: "file")
    #expect(try ReelProgram.run("encode", scratch.path("one"), "-o", scratch.path("file")).status == 73)
  }

  @Test func anOddBoxIsNotLeft() throws {
    #expect(try ReelProgram.run("encode", clip, "-o", scratch.path("o.mp4"), "--size", "81x61", "--speed", "ultrafast").status == 0)
    let size = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", scratch.path("o.mp4"))
    #expect(size.first == "80x60".replacingOccurrences(of: "x", with: ","))
  }

  @Test func whatWorkIsRecordedUnderStandsInSidecarAndReport() throws {
    let outcome = try ReelProgram.run(
      "encode", clip, "-o", scratch.path("o.mp4"), "--speed", "ultrafast", "--project", "spring", "--label", "row=7", "--report",
      scratch.path("r.json"))
    #expect(outcome.status == 0)
    for name in ["o.mp4.sidecar.json", "r.json"] {
      let document = try #require(try JSONSerialization.jsonObject(with: Data(text(name).utf8)) as? [String: Any])
      #expect(document["project"] as? String == "spring" && document["labels"] as? [String: String] == ["row": "7"], "\(name)")
    }
  }

  @Test func aClosedStandardOutputIsAnError() throws {
    for (closing, status) in [(">&-", "74"), ("2>&-", "0"), ("<&-", "0")] {
      let outcome = try Tool.run(
        "sh",
        ["-c", "\"$0\" probe \"$1\" \(closing) >/dev/null; echo $?", ReelProgram.path, clip].map {
          closing == ">&-" ? $0.replacingOccurrences(of: " >/dev/null", with: "") : $0
        })
      #expect(outcome.output == status + "\n", "\(closing): \(outcome)")
    }
  }

  @Test func copiesGoByTheirPattern() throws {
    let key = scratch.path("k")
    try ReelProgram.run("watermark", "keygen", "-o", key)
    try scratch.write("1\n2\n", to: "ids")
    let base = ["watermark", "variants", clip, "--ids", scratch.path("ids"), "--key", key, "--out-dir", scratch.path("copies")]
    #expect(try ReelProgram.run(base + ["--name", "same.mp4"]).status == 64)
    #expect(try ReelProgram.run(base + ["--name", "{index:03}-{id}.{ext}", "--preset", "draft"]).status == 0)
    #expect(scratch.exists("copies/001-0000000000000001.mp4") && scratch.exists("copies/002-0000000000000002.mp4"))
  }

  @Test("every report validates (Python's jsonschema), also that of a failure", .enabled(if: ContractTests.hasSchemas))
  func reportsValidate() throws {
    let schema = try ReelProgram.run("schema", "report")
    try scratch.write(schema.output, to: "schema.json")
    try scratch.write(
      """
      {"reel": 1, "canvas": {"width": 160, "height": 120, "frameRate": "25"}, "sequence": [{"media": "in.mp4"}]}
      """, to: "ad.json")
    let runs: [(arguments: [String], status: Int32)] = [
      (["encode", clip, "-o", scratch.path("a.mp4"), "--speed", "ultrafast"], 0),
      (["encode", clip, scratch.path("none.mp4"), "-o", scratch.path("many"), "--speed", "ultrafast"], 66),
      (["encode", scratch.path("none.mp4"), "-o", scratch.path("b.mp4")], 66),
      (["probe", clip], 0), (["frames", clip, "--at", "0.5", "-o", scratch.path("stills")], 0),
      (["render", scratch.path("ad.json"), "-o", scratch.path("ad.mp4"), "--no-cache"], 0),
      (["render", scratch.path("ad.json"), "--plan"], 0), (["check", scratch.path("ad.json")], 0),
    ]
    for (number, run) in runs.enumerated() {
      let report = scratch.path("report\(number).json")
      #expect(try ReelProgram.run(run.arguments + ["--report", report]).status == run.status, "\(run.arguments)")
      let check = try Tool.run(
        "python3",
        [
          "-c",
          "import json,sys,jsonschema; jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))",
          scratch.path("schema.json"), report,
        ])
      #expect(check.status == 0, "\(run.arguments): \(check.errors.suffix(600))")
    }
    let render = try #require(try JSONSerialization.jsonObject(with: Data(text("report5.json").utf8)) as? [String: Any])
    let input = try #require((render["inputs"] as? [[String: Any]])?.first)
    #expect(input["framesDecoded"] as? Int == 25 && (input["bytesRead"] as? Int ?? 0) > 0, "\(input)")
    let counters = try #require(render["frames"] as? [String: Any])
    #expect(counters.keys.allSatisfy { !$0.contains(" ") }, "\(counters)")
    let many = try #require(try JSONSerialization.jsonObject(with: Data(text("report1.json").utf8)) as? [String: Any])
    #expect((many["reports"] as? [Any])?.count == 1 && (many["failures"] as? [Any])?.count == 1)
  }
}
