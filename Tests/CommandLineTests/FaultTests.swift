import Foundation
import Glibc
import TestSupport
import Testing

/// Inputs that stop in the middle: a reported loss, never a short success.
@Suite("Incomplete inputs on the command line")
struct FaultTests {
  /// Containers by how they are cut, with what makes them.
  struct Container: Sendable, CustomTestStringConvertible {
    let file: String
    let arguments: [String]
    var testDescription: String { file }
    var isSound: Bool { arguments.contains("-vn") }
  }

  private static let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-threads", "1"]
  static let containers: [Container] = [
    Container(file: "a.mp4", arguments: x264 + ["-c:a", "aac"]),
    Container(file: "fast.mp4", arguments: x264 + ["-c:a", "aac", "-movflags", "+faststart"]),
    Container(file: "fragments.mp4", arguments: x264 + ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"]),
    Container(file: "a.mov", arguments: x264 + ["-c:a", "aac"]), Container(file: "a.mkv", arguments: x264 + ["-c:a", "aac"]),
    Container(file: "a.ts", arguments: x264 + ["-c:a", "aac"]), Container(file: "a.flv", arguments: x264 + ["-c:a", "aac"]),
    Container(file: "a.avi", arguments: ["-c:v", "mpeg4", "-c:a", "libmp3lame"]),
    Container(file: "a.mpg", arguments: ["-c:v", "mpeg2video", "-c:a", "mp2"]),
    Container(file: "a.gif", arguments: ["-t", "1", "-an"]), Container(file: "a.jpg", arguments: ["-frames:v", "1", "-an"]),
    Container(file: "a.png", arguments: ["-frames:v", "1", "-an"]), Container(file: "a.webp", arguments: ["-frames:v", "1", "-an"]),
    Container(file: "a.wav", arguments: ["-vn"]), Container(file: "a.flac", arguments: ["-vn"]),
    Container(file: "a.mp3", arguments: ["-vn"]),
    Container(file: "a.ogg", arguments: ["-vn", "-c:a", "libvorbis"]), Container(file: "a.opus", arguments: ["-vn", "-c:a", "libopus"]),
    Container(file: "a.m4a", arguments: ["-vn"]), Container(file: "a.aac", arguments: ["-vn"]),
  ]

  private func make(_ container: Container, in scratch: Scratch, seconds: Int = 4, size: String = "160x120") throws -> String {
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=\(seconds)", "-f", "lavfi", "-i",
        "sine=frequency=440:sample_rate=48000:duration=\(seconds)",
      ] + container.arguments + [scratch.path(container.file)])
    guard made.status == 0 else { throw Tool.Failure(description: made.errors) }
    return scratch.path(container.file)
  }

  @Test(
    "a file that is cut short fails with 65 and leaves nothing; --allow-incomplete keeps what there is and says so", arguments: containers)
  func truncated(_ container: Container) throws {
    let scratch = try Scratch()
    let bytes = Tool.bytes(of: try make(container, in: scratch))
    let out = scratch.path("out." + (container.isSound ? "m4a" : "mp4"))
    for percent in MediaPack.isSlowRun ? [30, 70, 99] : [70] {
      let cut = scratch.path("cut-" + container.file)
      // An odd number of bytes: formats of fixed packets must not end with one by chance.
      try Data(bytes[..<(bytes.count * percent / 100 | 1)]).write(to: URL(fileURLWithPath: cut))
      let before = scratch.names
      let arguments = ["encode", cut, "-o", out, "--speed", "ultrafast", "--isolation", "none"]
      let outcome = try ReelProgram.run(arguments)
      #expect(outcome.status == 65, "\(percent) %: \(outcome.output)\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
      #expect(scratch.names == before)
      let kept = try ReelProgram.run(arguments + ["--allow-incomplete", "--overwrite"])
      if kept.status == 0 {
        #expect(kept.output.contains("incomplete: ") || kept.output.contains("damaged: "), "\(percent) %: \(kept.output)")
      } else {
        #expect(kept.status == 65 && scratch.names == before, "\(percent) %: \(kept.errors)")
      }
      for name in scratch.names where name.hasPrefix("out.") { unlink(scratch.path(name)) }
    }
  }

  @Test(
    "a read error in mid-file fails with 65 and leaves nothing; --allow-incomplete keeps what there is and says so",
    .enabled(if: access("/usr/bin/strace", X_OK) == 0, "needs strace"), arguments: ["fast.mp4", "a.mkv", "a.ts"])
  func readError(_ name: String) throws {
    let scratch = try Scratch()
    let container = try #require(FaultTests.containers.first { $0.file == name })
    let clip = try make(
      Container(file: container.file, arguments: container.arguments + ["-qp", "18", "-vf", "noise=alls=60:allf=t"]), in: scratch,
      seconds: 8, size: "480x360")
    let out = scratch.path("out.mp4")
    func run(failingFrom read: Int, _ options: [String] = []) throws -> Tool.Outcome {
      // The count is that of each thread by itself. In this process: strace fails a call by making it an invalid one, for which
      // a sealed worker is killed.
      try Tool.run(
        "strace",
        [
          "-f", "-qq", "-o", "/dev/null", "-P", clip, "-e", "trace=pread64", "-e", "inject=pread64:error=EIO:when=\(read)+",
          ReelProgram.path,
          "encode", clip, "-o", out, "--speed", "ultrafast", "--isolation", "none",
        ] + options)
    }
    var failures = 0
    for read in [1, 4, 14, 180] {
      let before = scratch.names
      let outcome = try run(failingFrom: read)
      if outcome.status == 0 {
        #expect(try Oracle.videoFrameCount(out) == 200, "a short success")
      } else {
        failures += 1
        #expect(outcome.status == 65 && outcome.errors.contains("input is incomplete"), "\(outcome.status) \(outcome.errors)")
        #expect(scratch.names == before)
      }
      for made in scratch.names where made.hasPrefix("out.") { unlink(scratch.path(made)) }
    }
    #expect(failures >= 3)
    // Somewhere between the reads that open the file and the last one lies a read whose failure leaves a part.
    var hasKept = false
    for read in [20, 60, 120, 180, 240] where !hasKept {
      let kept = try run(failingFrom: read, ["--allow-incomplete", "--overwrite"])
      guard kept.status == 0 else {
        #expect(kept.status == 65, "\(kept.errors)")
        continue
      }
      let frames = try Oracle.videoFrameCount(out)
      guard frames < 200 else { continue }
      hasKept = true
      #expect(frames > 0 && kept.output.contains("incomplete: "), "\(frames) frames: \(kept.output)")
    }
    #expect(hasKept, "no part was kept")
  }
}
