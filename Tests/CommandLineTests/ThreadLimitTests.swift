import Foundation
import TestSupport
import Testing

/// Processes and threads are limited by users and by services (`ulimit -u`, `TasksMax=`).
@Suite("Limits on threads", .enabled(if: getuid() == 0, "needs root to become another user"))
struct ThreadLimitTests {
  static let processes = MediaPack.isSlowRun ? Array(1...16) : [1, 2, 3, 4, 5, 7, 9]

  @Test("with few threads a command is slower or says so with 75; it neither waits for ever nor dies", arguments: processes)
  func fewThreads(_ processes: Int) throws {
    let scratch = try Scratch()
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
            "--",
            ReelProgram.path,
          ] + command + ["--isolation", isolation],
          environment: ["HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"])
        if outcome.status == 126 || outcome.status == 127 { return }
        #expect(outcome.status == 0 || outcome.status == 75, "\(isolation) \(command[0]): \(outcome.status) \(outcome.errors)")
        if outcome.status == 75 { #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)") }
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
