import Foundation
import Glibc
import TestSupport
import Testing

/// `reel frames` from the outside: files, report, statuses, and what goes wrong.
@Suite("reel frames")
struct FramesCommandTests {
  private func frames(_ outcome: Tool.Outcome) throws -> [[String: Any]] {
    try #require(try ReelProgram.json(outcome)["frames"] as? [[String: Any]])
  }

  private func size(_ path: String) throws -> String {
    try Tool.lines("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", path)[0]
  }

  @Test("images with times in every notation, and the report that the contract promises")
  func report() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 3)
    let outcome = try ReelProgram.run(
      "frames", clip, "--at", "0.5,1500ms,00:00:02,30f", "-o", scratch.path("out"), "--format", "png", "--report", "-")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try ReelProgram.json(outcome)
    #expect(report["schema"] as? Int == 1)
    let frames = try #require(report["frames"] as? [[String: Any]])
    #expect(frames.map { $0["index"] as? Int } == [0, 3, 1, 2])
    #expect(frames.map { $0["pts"] as? String } == ["12/25", "6/5", "37/25", "2/1"])
    #expect(frames.allSatisfy { $0["error"] is NSNull || $0["error"] == nil })
    let counters = try #require(report["counters"] as? [String: Any])
    for name in ["packetsRead", "packetsDecoded", "framesOutput", "seeks", "gops"] { #expect(counters[name] is Int, "\(name)") }
    let made = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")).sorted()
    #expect(made == ["a-0000.png", "a-0001.png", "a-0002.png", "a-0003.png"])
    #expect(try size(scratch.path("out/a-0000.png")) == "png,160,120")
  }

  @Test("every selection gives the number of frames that it should")
  func selections() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2)
    let cases: [([String], Int)] = [
      (["--every", "0.5"], 4), (["--count", "5"], 5), (["--indices", "0,10,49"], 3), (["--range", "0.4..0.8"], 10), (["--keyframes"], 5),
      (["--last"], 1), (["--sharpest", "1"], 1), (["--at", "1", "--tolerance", "keyframe"], 1), (["--at", "1", "--tolerance", "0.2"], 1),
    ]
    for (options, count) in cases {
      let outcome = try ReelProgram.run(
        ["frames", clip, "-o", scratch.path("out"), "--overwrite", "--max-size", "80x", "--report", "-"] + options)
      #expect(outcome.status == 0, "\(options): \(outcome.errors)")
      #expect(try frames(outcome).count == count, "\(options)")
    }
    let both = try ReelProgram.run("frames", clip, "--at", "1", "--last")
    #expect(both.status == 64, "\(both.errors)")
  }

  @Test("sheet, sprites and preview stand where they were asked for")
  func products() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 3)
    let outcome = try ReelProgram.run(
      "frames", clip, "--sheet", "3x2", "--sheet-out", scratch.path("s.png"), "--sprites", scratch.path("t.jpg"), "--preview",
      scratch.path("p.webp"), "--max-size", "64x64")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(scratch.names == ["a.mp4", "p.webp", "s.png", "t.jpg", "t.vtt"])
    #expect(try size(scratch.path("t.jpg")) == "mjpeg,384,48")
    let again = try ReelProgram.run("frames", clip, "--sheet", "3x2", "--sheet-out", scratch.path("s.png"))
    #expect(again.status == 73 && again.errors.contains("--overwrite"), "\(again.errors)")
  }

  @Test("more sprite sheets than there may be open files, all or none of them")
  func manySprites() throws {
    let scratch = try Scratch()
    let clip = scratch.path("a.mkv")
    try Tool.succeed(
      "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x16:r=50:d=90", "-c:v", "mpeg4", "-threads", "1", clip)
    let arguments = [
      "--nofile=100:100", ReelProgram.path, "frames", clip, "--range", "0..90", "--sprites", scratch.path("t.png"), "--max-size", "8x4",
    ]
    let outcome = try Tool.run("prlimit", arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(scratch.names.count == 47 && !scratch.names.contains { $0.hasPrefix(".") }, "\(scratch.names)")
    #expect(try size(scratch.path("t-45.png")) == "png,80,40")
    for name in scratch.names where name.hasPrefix("t") { unlink(scratch.path(name)) }
    // A page that is in the way: nothing stands in the end but it.
    try Data().write(to: URL(fileURLWithPath: scratch.path("t-40.png")))
    let refused = try Tool.run("prlimit", arguments)
    #expect(refused.status == 73 && refused.errors.contains("t-40.png"), "\(refused.errors)")
    #expect(scratch.names == ["a.mkv", "t-40.png"])
  }

  @Test("the JSON has every key, null where nothing is known, and paths that open")
  func paths() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2)
    let products = ["--sheet", "2x1", "--sheet-out", scratch.path("s.png"), "--sprites", scratch.path("t.jpg")]
    let outcome = try ReelProgram.run(["frames", clip, "--keyframes", "-o", scratch.path("out/deep"), "--json"] + products)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let document = try ReelProgram.json(outcome)
    for item in try frames(outcome) {
      #expect(Set(item.keys) == ["index", "requested", "actual", "pts", "file", "placement", "error"])
      #expect(item["error"] is NSNull && item["requested"] is NSNull)
      #expect(FileManager.default.fileExists(atPath: item["file"] as? String ?? ""), "\(item)")
    }
    #expect(document["products"] as? [String] == ["s.png", "t.jpg", "t.vtt"].map(scratch.path))
  }

  @Test("the extension of --name says the format where --format does not")
  func namedFormat() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    for (name, codec) in [("x.png", "png"), ("y.JPEG", "mjpeg"), ("z-{index}.webp", "webp")] {
      let outcome = try ReelProgram.run("frames", clip, "--at", "0.5", "-o", scratch.folder, "--name", name)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try size(scratch.path(name.replacingOccurrences(of: "{index}", with: "0"))).hasPrefix(codec + ","))
    }
    // Two times within one frame are one picture.
    let same = try ReelProgram.run("frames", clip, "--at", "0.5,0.501", "-o", scratch.folder, "--name", "t{time}.png", "--json")
    #expect(same.status == 0, "\(same.errors)")
    #expect(Set(try frames(same).map { $0["file"] as? String }) == [scratch.path("t0.480.png")])
  }

  @Test("times beyond the ends give the first and the last frame, and say so")
  func beyondEnds() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 1)
    let outcome = try ReelProgram.run("frames", clip, "--at=-2,0.5,7", "-o", scratch.path("out"), "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let items = try frames(outcome)
    #expect(items.map { $0["placement"] as? String } == ["beforeStart", "inside", "beyondEnd"])
    #expect(items.map { $0["pts"] as? String } == ["0/1", "12/25", "24/25"])
    let spoken = try ReelProgram.run("frames", clip, "--at", "7", "-o", scratch.path("out2"))
    #expect(spoken.output.contains("the last frame"))
  }

  static let refusals: [ErrorCase] = [
    ErrorCase(what: "NaN", status: 64, says: "nan") { ["--at", "nan", try $0.clip("a.mp4")] },
    ErrorCase(what: "infinity", status: 64, says: "inf") { ["--at", "inf", try $0.clip("a.mp4")] },
    ErrorCase(what: "an empty list", status: 64, says: "--at") { ["--at", "", try $0.clip("a.mp4")] },
    ErrorCase(what: "an empty item", status: 64, says: "--at") { ["--at", "1,,2", try $0.clip("a.mp4")] },
    ErrorCase(what: "no selection", status: 64, says: "--at") { [try $0.clip("a.mp4")] },
    ErrorCase(what: "a negative frame number", status: 64, says: "-1") { ["--indices=-1", try $0.clip("a.mp4")] },
    ErrorCase(what: "an interval of zero", status: 64, says: "every") { ["--every", "0", try $0.clip("a.mp4")] },
    ErrorCase(what: "a count of zero", status: 64, says: "count") { ["--count", "0", try $0.clip("a.mp4")] },
    ErrorCase(what: "a range that runs backwards", status: 64, says: "range") { ["--range", "2..1", try $0.clip("a.mp4")] },
    ErrorCase(what: "a preview that is no animation", status: 64, says: ".gif or .webp") { ["--preview", "p.mp4", try $0.clip("a.mp4")] },
    ErrorCase(what: "sound alone", status: 65, says: "no video") { scratch in
      let path = scratch.path("sound.m4a")
      let outcome = try Tool.run(
        "ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", path])
      #expect(outcome.status == 0)
      return ["--at", "0", path]
    },
    ErrorCase(what: "one name for two frames", status: 64, says: "{index}") {
      ["--at", "0,0.5", "--name", "x.jpg", "--overwrite", try $0.clip("a.mp4")]
    },
    ErrorCase(what: "a pattern that is none", status: 64, says: "{what}") { ["--at", "0", "--name", "{what}.jpg", try $0.clip("a.mp4")] },
    ErrorCase(what: "a name of another format", status: 64, says: "--format webp") {
      ["--at", "0", "--name", "x.png", "--format", "webp", try $0.clip("a.mp4")]
    },
    ErrorCase(what: "a name of no image format", status: 64, says: "x.gif") { ["--at", "0", "--name", "x.gif", try $0.clip("a.mp4")] },
    ErrorCase(what: "a place for no sheet", status: 64, says: "--sheet") { ["--at", "0", "--sheet-out", "s.jpg", try $0.clip("a.mp4")] },
    ErrorCase(what: "a sheet of no tiles", status: 64, says: "as in 5x5") { ["--sheet", "foo", try $0.clip("a.mp4")] },
    ErrorCase(what: "a sheet that no bitmap holds", status: 64, says: "100x100 tiles") {
      ["--sheet", "100x100", "--max-size", "320x320", "--sheet-out", $0.path("s.jpg"), try $0.clip("a.mp4", size: "320x240")]
    },
    ErrorCase(what: "a sheet and sprites in one file", status: 64, says: "as sheet and as sprites") {
      ["--sheet", "2x2", "--sheet-out", $0.path("s.jpg"), "--sprites", $0.path("s.jpg"), try $0.clip("a.mp4")]
    },
    ErrorCase(what: "a track in the way of the sprites", status: 73, says: "t.vtt") {
      try $0.write("mine", to: "t.vtt")
      return ["--sprites", $0.path("t.jpg"), "--at", "0", try $0.clip("a.mp4")]
    },
    ErrorCase(what: "no such file", status: 66, says: "No such file") { ["--at", "0", $0.path("none.mp4")] },
    ErrorCase(what: "text", status: 65, says: "text.mp4") { ["--at", "0", try $0.write("This is no video.\n", to: "text.mp4")] },
    ErrorCase(what: "an MP4 cut before its index", status: 65, says: "cut short") { scratch in
      let bytes = Tool.bytes(of: try scratch.clip("a.mp4"))
      try Data(bytes[..<(bytes.count / 2)]).write(to: URL(fileURLWithPath: scratch.path("half.mp4")))
      return ["--at", "0", scratch.path("half.mp4")]
    },
    ErrorCase(what: "refused by a limit", status: 77, says: "--limit pixels=") {
      ["--at", "0", "--limit", "pixels=1000", try $0.clip("a.mp4")]
    },
  ]

  @Test("refused with the right status and one line, nothing written", arguments: refusals)
  func refused(_ item: ErrorCase) throws {
    let scratch = try Scratch()
    let arguments = try item.make(scratch)
    let before = scratch.names
    let outcome = try ReelProgram.run(["frames"] + arguments + ["-o", scratch.path("out")])
    #expect(outcome.status == item.status, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("reel: ") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(item.says), "\(outcome.errors)")
    #expect(scratch.names == before)
  }

  @Test("a truncated file: what is there is delivered, the status says that it is incomplete or the rest failed")
  func truncated() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mkv", seconds: 4)
    let bytes = Tool.bytes(of: clip)
    try Data(bytes[..<(bytes.count / 2)]).write(to: URL(fileURLWithPath: scratch.path("half.mkv")))
    let outcome = try ReelProgram.run("frames", scratch.path("half.mkv"), "--at", "0.5,1,3.5", "-o", scratch.path("out"), "--json")
    let items = try frames(outcome)
    #expect(items.count == 3)
    // Frame 12; Matroska rounds to milliseconds.
    #expect(abs((items[0]["actual"] as? Double ?? 0) - 0.48) < 0.03, "\(items[0])")
    #expect(FileManager.default.fileExists(atPath: scratch.path("out/half-0000.jpg")))
    #expect(FileManager.default.fileExists(atPath: scratch.path("out/half-0001.jpg")))
    // The frame at 3.5 s is not in the file: either an error, or the last one there is, flagged.
    #expect(items[2]["placement"] as? String == "beyondEnd" || items[2]["error"] is [String: Any], "\(items[2])")
  }

  @Test("pictures of one pixel and of odd sizes", arguments: ["1x1", "2x1", "1x7", "33x17", "101x3"], ["jpg", "png", "webp", "ppm"])
  func oddSizes(size: String, format: String) throws {
    let scratch = try Scratch()
    let path = scratch.path("odd.mkv")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=red:size=64x64:rate=5:duration=1", "-vf",
        "format=yuv444p,scale=\(size),setsar=1",
        "-c:v", "ffv1", path,
      ])
    #expect(made.status == 0, "\(made.errors)")
    let outcome = try ReelProgram.run("frames", path, "--at", "0.5", "-o", scratch.path("out"), "--format", format)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let written = try self.size(scratch.path("out/odd-0000.\(format)")).split(separator: ",")
    #expect(written.dropFirst().joined(separator: "x") == size)
    let sheet = try ReelProgram.run("frames", path, "--sheet", "2x1", "--sheet-out", scratch.path("s.png"))
    #expect(sheet.status == 0, "\(sheet.errors)")
  }

  @Test(
    "a folder that another user may not write to: status 73, nothing left", .enabled(if: getuid() == 0, "needs root to become someone else")
  )
  func foreignFolder() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    chmod(scratch.folder, 0o755)
    try FileManager.default.createDirectory(atPath: scratch.path("closed"), withIntermediateDirectories: true)
    for (folder, output) in [("closed", scratch.path("closed")), ("missing", scratch.path("missing"))] {
      let outcome = try Tool.run(
        "setpriv",
        [
          "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", ReelProgram.path, "frames", clip, "--at", "0.2,0.4", "-o", output,
        ],
        environment: ["HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"])
      // Where that user cannot even start the program, there is nothing to see.
      if outcome.status == 126 || outcome.status == 127 { return }
      #expect(outcome.status == 73, "\(folder): \(outcome.errors)")
      #expect(outcome.errors.contains(folder) && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("closed")).isEmpty)
    #expect(!scratch.exists("missing"))
  }

  @Test("a read-only mount: status 73", .enabled(if: getuid() == 0, "needs root to mount"))
  func readOnlyMount() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    try FileManager.default.createDirectory(atPath: scratch.path("fixed"), withIntermediateDirectories: true)
    let command =
      "mount -t tmpfs -o ro tmpfs '\(scratch.path("fixed"))' && '\(ReelProgram.path)' frames '\(clip)' --at 0.2,0.4 -o '\(scratch.path("fixed"))'"
    let outcome = try Tool.run("unshare", ["-m", "sh", "-c", command])
    #expect(outcome.status == 73, "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("disk full: status 74, only whole pictures stay", .enabled(if: getuid() == 0, "needs root to mount a small tmpfs"))
  func diskFull() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2, size: "640x480")
    try FileManager.default.createDirectory(atPath: scratch.path("small"), withIntermediateDirectories: true)
    let small = scratch.path("small")
    let command =
      "mount -t tmpfs -o size=512k tmpfs '\(small)' && '\(ReelProgram.path)' frames '\(clip)' --every 0.1 --format png -o '\(small)'; status=$?; "
      + "for f in $(ls '\(small)'/*.png); do ffprobe -v error \"$f\" || echo broken; done; ls -A '\(small)'; exit $status"
    let outcome = try Tool.run("unshare", ["-m", "sh", "-c", command])
    #expect(outcome.status == 74, "\(outcome.errors)")
    #expect(outcome.errors.contains("No space left"), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    let made = outcome.output.split(separator: "\n")
    #expect(!made.isEmpty && made.count < 20 && made.allSatisfy { $0.hasPrefix("a-") && $0.hasSuffix(".png") }, "\(made)")
  }

  @Test("more pictures than a process may have files open")
  func manyFiles() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 4, size: "32x32")
    let outcome = try Tool.run(
      "sh", ["-c", "ulimit -n 64; exec '\(ReelProgram.path)' frames '\(clip)' --range 0..4 -o '\(scratch.path("out"))' --format ppm"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")).count == 100)
  }

  @Test("Ctrl-C ends it with 130 and leaves no half picture")
  func interrupted() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("long.mp4", seconds: 20, size: "1280x720")
    let outcome = try Tool.run(
      "timeout",
      [
        "--signal=INT", "--preserve-status", "0.7", ReelProgram.path, "frames", clip, "--every", "0.04", "--format", "png", "-o",
        scratch.path("out"),
      ])
    #expect(outcome.status == 130, "\(outcome.errors)")
    // Without a picture there is no folder.
    let made = (try? FileManager.default.contentsOfDirectory(atPath: scratch.path("out"))) ?? []
    #expect(made.allSatisfy { $0.hasPrefix("long-") && $0.hasSuffix(".png") })
    for name in made.sorted().prefix(3) { #expect(try size(scratch.path("out/" + name)) == "png,1280,720") }
  }
}
