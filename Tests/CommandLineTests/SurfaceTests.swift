import Foundation
import TestSupport
import Testing

/// The tool as a whole: overview, help of every command, completion, progress, sidecar.
@Suite("The command line's surface")
struct SurfaceTests {
  @Test("alone it gives three examples; help and --help agree for every command")
  func help() throws {
    let alone = try ReelProgram.run()
    #expect(alone.status == 0)
    #expect(alone.output.split(separator: "\n").count { $0.hasPrefix("  reel ") } == 3)
    let list = try ReelProgram.run("help").output
    let commands = list.split(separator: "\n").drop { $0 != "Commands:" }.dropFirst().filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
    #expect(commands.count >= 4)
    for line in commands {
      let name = String(line.split(separator: " ")[0])
      let first = try ReelProgram.run("help", name)
      let second = try ReelProgram.run(name, "--help")
      #expect(first.status == 0 && first.output == second.output && first.output.hasPrefix("reel \(name): "))
    }
  }

  @Test("every option of every command states its default")
  func defaults() throws {
    let page = try ReelProgram.run("help", "encode").output
    let options = page.split(separator: "\n").count { $0.hasPrefix("  -") }
    let words = page.split { $0 == " " || $0 == "\n" }.count { $0 == "Default:" }
    #expect(options > 10 && options == words)
  }

  @Test("bash accepts the completion script and completes a command")
  func completion() throws {
    let script = try ReelProgram.run("help", "--completion", "bash").output
    let outcome = try Tool.run("bash", ["--norc", "-c", script + "\nCOMP_WORDS=(reel enc); COMP_CWORD=1; _reel; echo ${COMPREPLY[*]}"])
    #expect(outcome.output == "encode\n")
  }

  @Test("progress is JSON lines when asked for and nothing on a pipe")
  func progress() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    #expect(try ReelProgram.run("encode", clip, "-o", scratch.path("b.mp4")).errors == "")
    let outcome = try ReelProgram.run("encode", clip, "-o", scratch.path("c.mp4"), "--progress", "json")
    let lines = outcome.errors.split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines {
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(Set(object.keys) == ["schema", "stage", "done", "frames", "fps", "etaSeconds"])
    }
  }

  @Test(
    "the part done rises to 1 in the last line of every command that reads media",
    arguments: [
      ["frames", "--range", "0..1", "-o", "out"], ["frames", "--scenes", "-o", "out"], ["frames", "--at", "0.1,0.9", "-o", "out"],
      ["probe"], ["watermark", "detect", "--key", "k"], ["encode", "-o", "b.mp4"], ["check"],
    ])
  func doneRises(arguments: [String]) throws {
    let scratch = try Scratch()
    var input = try scratch.clip("a.mp4")
    if arguments[0] == "check" {
      let clip = #"{"reel":1,"canvas":{"width":64,"height":64,"frameRate":25},"sequence":[{"media":"a.mp4"}]}"#
      input = try scratch.write(clip, to: "d.json")
    }
    let known = ["out", "k", "b.mp4"]
    if arguments.contains("k") { try ReelProgram.run("watermark", "keygen", "-o", scratch.path("k")) }
    let outcome = try ReelProgram.run(arguments.map { known.contains($0) ? scratch.path($0) : $0 } + [input, "--progress", "json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let done = try outcome.errors.split(separator: "\n").map { line in
      (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["done"] as? Double
    }
    #expect(done.last == 1, "\(outcome.errors)")
    let values = done.compactMap { $0 }
    #expect(values.count == done.count && values == values.sorted(), "\(done)")
  }

  @Test("the sidecar names the hashes of input and output and the user's metadata")
  func sidecar() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    let outcome = try ReelProgram.run("encode", clip, "-o", scratch.path("b.mp4"), "--metadata", "prompt=a wave")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let data = Data(Tool.bytes(of: scratch.path("b.mp4.sidecar.json")))
    let sidecar = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let output = try #require(sidecar["output"] as? [String: Any])
    let input = try #require((sidecar["inputs"] as? [[String: Any]])?.first)
    #expect(output["sha256"] as? String == String(try Tool.lines("sha256sum", scratch.path("b.mp4"))[0].prefix(64)))
    #expect(input["sha256"] as? String == String(try Tool.lines("sha256sum", clip)[0].prefix(64)))
    #expect((sidecar["metadata"] as? [String: String]) == ["prompt": "a wave"])
  }

  @Test("encode writes faststart H.264 High and AAC with the frames of the source")
  func encode() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2)
    #expect(try ReelProgram.run("encode", clip, "-o", scratch.path("b.mp4")).status == 0)
    let fields = try Tool.lines(
      "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,profile,nb_read_frames", "-of", "csv=p=0",
      scratch.path("b.mp4"))
    #expect(fields[0] == "h264,High,50")
    #expect(fields[1].hasPrefix("aac,LC,"))
    let bytes = Tool.bytes(of: scratch.path("b.mp4"))
    let text = String(decoding: bytes, as: Unicode.ASCII.self)
    let moov = try #require(text.firstRange(of: "moov"))
    let data = try #require(text.firstRange(of: "mdat"))
    #expect(moov.lowerBound < data.lowerBound)
  }

  @Test("doctor finds the encoders that encode needs")
  func doctor() throws {
    let outcome = try ReelProgram.run("doctor", "--json")
    #expect(outcome.status == 0, "\(outcome.output)")
    let findings = try #require(try ReelProgram.json(outcome)["findings"] as? [[String: Any]])
    #expect(findings.contains { $0["name"] as? String == "H.264 encoder" && $0["state"] as? String == "ok" })
    let isolation = try #require(findings.first { $0["name"] as? String == "isolation" })
    #expect(["ok", "note"].contains(isolation["state"] as? String) && (isolation["value"] as? String)?.contains("seccomp filter") == true)
  }
}
