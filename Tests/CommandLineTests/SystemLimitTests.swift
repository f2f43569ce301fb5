import Foundation
import TestSupport
import Testing

/// What users and services limit: processes and threads (`ulimit -u`, `TasksMax=`), the size of files, open files.
@Suite("Limits of the system")
struct SystemLimitTests {
  @Test("a limit on the size of files is a failed write, 74, and nothing is left", arguments: ["none", "process"])
  func fileSize(_ isolation: String) throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2)
    let before = scratch.names
    for command in [
      ["encode", clip, "-o", scratch.path("out.mp4")], ["frames", clip, "--every", "0.5", "-o", scratch.path("f"), "--format", "ppm"],
    ] {
      let outcome = try Tool.run("prlimit", ["--fsize=20000", "--", ReelProgram.path] + command + ["--isolation", isolation])
      #expect(outcome.status == 74, "\(command[0]): \(outcome.status) \(outcome.errors)")
      #expect(outcome.errors.contains("File too large"), "\(outcome.errors)")
      #expect(scratch.names.filter { $0 != "f" } == before)
      #expect(try !scratch.exists("f") || FileManager.default.contentsOfDirectory(atPath: scratch.path("f")).isEmpty)
    }
  }

  @Test("few open files: it works or says so with 75", arguments: ["none", "process"])
  func openFiles(_ isolation: String) throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    for files in [12, 16, 24, 32] {
      let outcome = try Tool.run(
        "prlimit",
        ["--nofile=\(files)", "--", ReelProgram.path, "encode", clip, "-o", scratch.path("\(files).mp4"), "--isolation", isolation])
      #expect(outcome.status == 0 || outcome.status == 75, "\(files): \(outcome.status) \(outcome.errors)")
      #expect(scratch.exists("\(files).mp4") == (outcome.status == 0))
    }
  }

  static let processes = MediaPack.isSlowRun ? Array(1...16) : [1, 2, 3, 4, 5, 7, 9]

  @Test(
    "with few threads a command is slower or says so with 75; it neither waits for ever nor dies",
    .enabled(if: getuid() == 0, "needs root to become another user"), arguments: processes)
  func fewThreads(_ processes: Int) throws {
    let scratch = try Scratch()
    // Where another user may start them.
    for name in ["reel", "reel-worker"] {
      let built = URL(fileURLWithPath: ReelProgram.path).deletingLastPathComponent().appendingPathComponent(name).path
      if link(built, scratch.path(name)) != 0 { try FileManager.default.copyItem(atPath: built, toPath: scratch.path(name)) }
    }
    let clip = try scratch.clip("a.mp4", seconds: 2)
    chmod(scratch.folder, 0o777)
    // A user of its own for each case: what others of that user run counts against the limit.
    let user = "\(60_000 + processes)"
    for isolation in ["none", "process"] {
      let out = scratch.path(isolation + ".mp4")
      let commands = [
        ["frames", clip, "--every", "0.1", "-o", scratch.path(isolation)], ["encode", clip, "-o", out, "--speed", "ultrafast"],
      ]
      for command in commands {
        let outcome = try Tool.run(
          "timeout",
          [
            "-s", "KILL", "60", "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--", "prlimit", "--nproc=\(processes)",
            "--", scratch.path("reel"),
          ] + command + ["--isolation", isolation],
          environment: ["HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"])
        #expect(outcome.status == 0 || outcome.status == 75, "\(isolation) \(command[0]): \(outcome.status) \(outcome.errors)")
        if outcome.status == 75 { #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)") }
        if outcome.status == 0, command[0] == "frames" {
          #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path(isolation)).count == 20)
        }
        if outcome.status == 0, command[0] == "encode" {
          let frames = try Tool.lines(
            "ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0",
            out)
          #expect(frames.first == "50")
        }
      }
    }
  }
}
