import Foundation
import Glibc
import TestSupport
import Testing

/// What goes wrong, from the outside: status, message, and nothing left behind.
@Suite("Errors on the command line")
struct ErrorTests {
  static let cases: [ErrorCase] = [
    ErrorCase(what: "missing file", status: 66, says: "No such file") { ["encode", $0.path("none.mp4"), "-o", $0.path("out.mp4")] },
    ErrorCase(what: "a folder without media", status: 66, says: "no media file") { ["encode", $0.folder, "-o", $0.path("out.mp4")] },
    ErrorCase(what: "empty file", status: 65, says: "empty.mp4") { scratch in
      ["encode", try scratch.write("", to: "empty.mp4"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "text named .mp4", status: 65, says: "text.mp4") { scratch in
      ["encode", try scratch.write("This is no video.\n", to: "text.mp4"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "a playlist named .mp4", status: 65, says: "list.mp4") { scratch in
      ["encode", try scratch.write("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", to: "list.mp4"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "truncated at half", status: 65, says: "cut short") { scratch in
      let clip = try scratch.clip("whole.mp4")
      let bytes = Tool.bytes(of: clip)
      try Data(bytes[..<(bytes.count / 2)]).write(to: URL(fileURLWithPath: scratch.path("half.mp4")))
      return ["encode", scratch.path("half.mp4"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "matroska truncated at half", status: 65, says: "input is incomplete") { scratch in
      let clip = try scratch.clip("whole.mkv", seconds: 2)
      let bytes = Tool.bytes(of: clip)
      try Data(bytes[..<(bytes.count / 2)]).write(to: URL(fileURLWithPath: scratch.path("half.mkv")))
      return ["encode", scratch.path("half.mkv"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "a pipe as input", status: 66, says: "not a regular file") { scratch in
      mkfifo(scratch.path("pipe.mp4"), 0o600)
      return ["encode", scratch.path("pipe.mp4"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "an endless device as input", status: 66, says: "not a regular file") {
      ["encode", "/dev/zero", "-o", $0.path("out.mp4")]
    },
    ErrorCase(what: "output folder missing", status: 73, says: "no/out.mp4") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("no/out.mp4")]
    },
    ErrorCase(what: "output is a folder's file", status: 73, says: "file") { scratch in
      let clip = try scratch.clip("a.mp4")
      try scratch.write("x", to: "file")
      return ["encode", clip, "-o", scratch.path("file/out.mp4")]
    },
    ErrorCase(what: "unknown codec", status: 64, says: "h264") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--codec", "h266"]
    },
    ErrorCase(what: "hardware encoder that is not there", status: 69, says: "h264_nvenc") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--codec", "h264_nvenc"]
    },
    ErrorCase(what: "bad filter graph", status: 64, says: "nosuchfilter") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--filter", "nosuchfilter=1"]
    },
    ErrorCase(what: "bad trim", status: 64, says: "is not a time") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--trim", "x..3"]
    },
    ErrorCase(what: "bad limit", status: 64, says: "did you mean pixels") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--limit", "pixel=3"]
    },
    ErrorCase(what: "a picture of billions of pixels", status: 77, says: "--limit pixels=3600000000") { scratch in
      let text = "P5\n60000 60000\n255\n" + String(repeating: "0", count: 4096)
      return ["encode", try scratch.write(text, to: "giant.pgm"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "a file of eight tebibytes", status: 77, says: "--limit input-bytes=") { scratch in
      truncate(try scratch.write("RIFF", to: "endless.wav"), 8 << 40)
      return ["encode", scratch.path("endless.wav"), "-o", scratch.path("out.mp4")]
    },
    ErrorCase(what: "refused by a limit", status: 77, says: "--limit pixels=") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--limit", "pixels=1000"]
    },
    ErrorCase(what: "no output named", status: 64, says: "-o is needed") { ["encode", try $0.clip("a.mp4")] },
    ErrorCase(what: "crf and bit rate", status: 64, says: "exclude each other") {
      ["encode", try $0.clip("a.mp4"), "-o", $0.path("out.mp4"), "--crf", "20", "--bitrate", "1M"]
    },
  ]

  @Test("right status, one line, nothing at the final path, no temporary file", arguments: cases)
  func refused(_ item: ErrorCase) throws {
    let scratch = try Scratch()
    let arguments = try item.make(scratch)
    let before = scratch.names
    let outcome = try ReelProgram.run(arguments)
    #expect(outcome.status == item.status, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("reel: ") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(item.says), "\(outcome.errors)")
    #expect(scratch.names == before)
    let json = try ReelProgram.json(try ReelProgram.run(arguments + ["--json"]))
    #expect(json["schema"] as? Int == 1)
    let error = try #require(json["error"] as? [String: Any])
    #expect(error["code"] is String && error["message"] is String && error.keys.contains("file"))
  }

  @Test("an output that exists is refused, and replaced with --overwrite")
  func outputExists() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    try scratch.write("mine", to: "out.mp4")
    let refused = try ReelProgram.run("encode", clip, "-o", scratch.path("out.mp4"))
    #expect(refused.status == 73 && refused.errors.contains("--overwrite"))
    #expect(Tool.bytes(of: scratch.path("out.mp4")) == Array("mine".utf8))
    let replaced = try ReelProgram.run("encode", clip, "-o", scratch.path("out.mp4"), "--overwrite")
    #expect(replaced.status == 0, "\(replaced.errors)")
    #expect(
      try Tool.lines("ffprobe", "-v", "error", "-show_entries", "format=format_name", "-of", "csv=p=0", scratch.path("out.mp4"))[0]
        .contains("mp4"))
    #expect(scratch.names == ["a.mp4", "out.mp4", "out.mp4.sidecar.json"])
  }

  @Test("an output that is a symbolic link is refused; its target stays", arguments: [[], ["--overwrite"]])
  func outputIsLink(options: [String]) throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    try scratch.write("target", to: "target")
    try FileManager.default.createSymbolicLink(atPath: scratch.path("out.mp4"), withDestinationPath: scratch.path("target"))
    let outcome = try ReelProgram.run(["encode", clip, "-o", scratch.path("out.mp4")] + options)
    #expect(outcome.status == 73 && outcome.errors.contains("link"), "\(outcome.errors)")
    #expect(Tool.bytes(of: scratch.path("target")) == Array("target".utf8))
    #expect(scratch.names == ["a.mp4", "out.mp4", "target"])
  }

  @Test("several inputs: a failed item does not stop the others, the status is that of the first failure")
  func batch() throws {
    let scratch = try Scratch()
    let inputs = [try scratch.clip("a.mp4"), scratch.path("none.mp4"), try scratch.write("text", to: "b.mp4"), try scratch.clip("c.mp4")]
    let outcome = try ReelProgram.run(["encode"] + inputs + ["-o", scratch.path("out"), "--json"])
    #expect(outcome.status == 66)
    let files = try #require(try ReelProgram.json(outcome)["files"] as? [[String: Any]])
    #expect(files.map { ($0["error"] as? [String: Any])?["code"] as? String } == [nil, "missing", "damaged", nil])
    let made = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")).sorted()
    #expect(made == ["a.mp4", "a.mp4.sidecar.json", "c.mp4", "c.mp4.sidecar.json"])
  }

  @Test("probe names what is wrong with one file and describes the others")
  func probeSeveral() throws {
    let scratch = try Scratch()
    let outcome = try ReelProgram.run("probe", try scratch.clip("a.mp4"), scratch.path("none.mp4"), "--json")
    #expect(outcome.status == 66)
    let files = try #require(try ReelProgram.json(outcome)["files"] as? [[String: Any]])
    #expect(files.count == 2)
    #expect(files[0]["error"] is NSNull)
    #expect((files[1]["error"] as? [String: Any])?["code"] as? String == "missing")
    let video = try #require((files[0]["video"] as? [[String: Any]])?.first)
    #expect(video["width"] as? Int == 160 && video["frameCount"] as? Int == 25 && video["frameRate"] as? String == "25/1")
  }
}
