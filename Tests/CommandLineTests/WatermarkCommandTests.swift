import Foundation
import TestSupport
import Testing

/// `reel watermark` and `reel creators` as a user runs them: whose mark it is, and what is refused.
@Suite("Watermarks on the command line")
struct WatermarkCommandTests {
  private let scratch: Scratch
  private let key: String

  init() throws {
    scratch = try Scratch()
    key = scratch.path("brand.key")
    try ReelProgram.run("watermark", "keygen", "-o", key)
    let made = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-nostdin", "-f", "lavfi", "-i", "mandelbrot=size=640x360:rate=15", "-t", "1", "-pix_fmt", "yuv420p", "-c:v",
        "libx264", "-preset", "ultrafast", "-crf", "14", scratch.path("in.mp4"),
      ])
    #expect(made.errors == "")
  }

  private func detect(_ file: String, _ more: String...) throws -> [[String: Any]] {
    let outcome = try ReelProgram.run(["watermark", "detect", scratch.path(file), "--key", key, "--json"] + more)
    let files = try #require(try ReelProgram.json(outcome)["files"] as? [[String: Any]])
    return try #require(files.first?["marks"] as? [[String: Any]])
  }

  @Test("sound alone is 65 for every command that needs pictures", arguments: ["embed", "detect", "variants"])
  func soundAlone(command: String) throws {
    let sound = scratch.path("s.wav")
    let made = try Tool.run("ffmpeg", ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=duration=1", sound])
    #expect(made.errors == "")
    var more: [String] = []
    if command == "embed" { more = ["--id", "1", "-o", scratch.path("out.mp4")] }
    if command == "variants" { more = ["--ids", try scratch.write("1\n2\n", to: "ids.txt"), "--out-dir", scratch.path("copies")] }
    let outcome = try ReelProgram.run(["watermark", command, sound, "--key", key] + more)
    #expect(outcome.status == 65, "\(outcome.errors)")
  }

  @Test func aCreatorsMarkNamesThemUntilTheyWithdraw() throws {
    let store = scratch.path("jobs.sqlite")
    let embed = ["watermark", "embed", scratch.path("in.mp4"), "--key", key, "--creator", "c-1f3a", "--store", store, "-o"]
    #expect(try ReelProgram.run(embed + [scratch.path("no.mp4")]).status == 77)
    #expect(!scratch.exists("no.mp4"))
    #expect(try ReelProgram.run("creators", "enrol", "c-1f3a", "--store", store).status == 0)
    #expect(try ReelProgram.run(embed + [scratch.path("out.mp4")]).status == 0)
    let mark = try #require(try detect("out.mp4", "--creators", "--store", store).first)
    #expect(mark["creator"] as? String == "c-1f3a" && mark["decision"] as? String == "registry")
    // The registry knows which output carries the mark.
    let who = try ReelProgram.json(try ReelProgram.run("creators", "who", try #require(mark["id"] as? String), "--store", store, "--json"))
    let digest = try Tool.run("sha256sum", [scratch.path("out.mp4")]).output.prefix(64)
    #expect(who["output"] as? String == String(digest))
    #expect(try ReelProgram.run("creators", "withdraw", "c-1f3a", "--store", store).status == 0)
    let after = try ReelProgram.run("watermark", "detect", scratch.path("out.mp4"), "--key", key, "--creators", "--store", store)
    #expect(after.status == 66 && after.errors.contains("the registry has no id"))
  }

  @Test func keyFramesAnswerDirectly() throws {
    _ = try ReelProgram.run("watermark", "embed", scratch.path("in.mp4"), "--key", key, "--id", "7", "-o", scratch.path("out.mp4"))
    let mark = try #require(try detect("out.mp4", "--direct").first)
    #expect(mark["id"] as? String == "0000000000000007" && mark["creator"] is NSNull && mark["copy"] is NSNull)
  }

  @Test func badKeysAndIdsAreRefused() throws {
    func embed(_ key: String, _ id: String) throws -> Tool.Outcome {
      try ReelProgram.run("watermark", "embed", scratch.path("in.mp4"), "--key", key, "--id", id, "-o", scratch.path("out.mp4"))
    }
    #expect(try embed(scratch.path("none.key"), "1").status == 66)
    let whole = Tool.bytes(of: key)
    try FileManager.default.createDirectory(atPath: scratch.path("keys"), withIntermediateDirectories: true)
    let cut = scratch.path("keys/cut.key")
    #expect(FileManager.default.createFile(atPath: cut, contents: Data(whole.dropLast(10)), attributes: [.posixPermissions: 0o600]))
    let truncated = try embed(cut, "1")
    #expect(truncated.status == 78 && truncated.errors.contains("truncated or damaged"))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: cut)
    #expect(try embed(cut, "1").status == 77)
    let large = try embed(key, "18446744073709551616")
    #expect(large.status == 64 && large.errors.contains("is not a 64-bit id"))
    #expect(!scratch.exists("out.mp4"))
    let both = try ReelProgram.run(
      "watermark", "detect", scratch.path("in.mp4"), "--key", key, "--expect", "1", "--creators", "--store", scratch.path("s.sqlite"))
    #expect(both.status == 64)
  }

  @Test func corruptVideoIsAnErrorAndNoAnswer() throws {
    _ = try ReelProgram.run("watermark", "embed", scratch.path("in.mp4"), "--key", key, "--id", "7", "-o", scratch.path("out.mp4"))
    let bytes = Tool.bytes(of: scratch.path("out.mp4"))
    try Data(bytes[..<(bytes.count * 2 / 3)]).write(to: URL(fileURLWithPath: scratch.path("half.mp4")))
    let outcome = try ReelProgram.run("watermark", "detect", scratch.path("half.mp4"), "--key", key, "--direct")
    #expect(outcome.status == 65 && outcome.output == "")
  }

  @Test func shortSmallAndSilentInputsAreToldWhatIsNeeded() throws {
    let embed = ["watermark", "embed", "--key", key, "--id", "7", "-o", scratch.path("out.mp4")]
    let short = try ReelProgram.run(embed + [scratch.path("in.mp4")])
    #expect(short.status == 0 && short.output.contains("3.0 s or more are needed"))
    let found = try ReelProgram.run("watermark", "detect", scratch.path("in.mp4"), "--key", key, "--direct")
    #expect(found.status == 0 && found.output.contains("3.0 s or more of the video are needed"))

    let document = """
      {"reel": 1, "canvas": {"width": 360, "height": 640, "frameRate": "15"}, "sequence": [{"media": "in.mp4", "fit": "cover"}],
       "watermark": {"id": "0000000000000007"}}
      """
    try Data(document.utf8).write(to: URL(fileURLWithPath: scratch.path("ad.json")))
    let render = try ReelProgram.run("render", scratch.path("ad.json"), "--key", key, "-o", scratch.path("ad.mp4"))
    #expect(render.status == 0 && render.output.contains("3.0 s or more are needed"), "\(render)")

    _ = try Tool.run(
      "ffmpeg", ["-v", "error", "-nostdin", "-i", scratch.path("in.mp4"), "-vf", "scale=80:60", scratch.path("small.mp4")])
    for command in [
      ["watermark", "embed", scratch.path("small.mp4"), "--key", key, "--id", "7", "-o", scratch.path("no.mp4")],
      ["watermark", "detect", scratch.path("small.mp4"), "--key", key],
    ] {
      let small = try ReelProgram.run(command)
      #expect(small.status == 64 && small.errors.contains("its shorter side is below 96 pixels"), "\(small.errors)")
    }
    _ = try Tool.run("ffmpeg", ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=duration=1", scratch.path("sound.m4a")])
    for command in [
      ["watermark", "embed", scratch.path("sound.m4a"), "--key", key, "--id", "7", "-o", scratch.path("no.mp4")],
      ["watermark", "detect", scratch.path("sound.m4a"), "--key", key],
    ] {
      let outcome = try ReelProgram.run(command)
      #expect(outcome.status == 65 && outcome.errors.contains("it has no "), "\(outcome.errors)")
    }
    #expect(!scratch.exists("no.mp4"))
  }
}
