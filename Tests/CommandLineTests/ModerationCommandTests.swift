import Foundation
import TestSupport
import Testing

/// `reel worker --moderate`: nothing is published that the hook has not allowed.
@Suite("Moderation of jobs")
struct ModerationCommandTests {
  /// A store, an input, and a hook.
  private final class Studio {
    let scratch: Scratch
    let environment: [String: String]

    init(hook: String) throws {
      scratch = try Scratch()
      environment = [
        "HOME": scratch.folder, "XDG_STATE_HOME": scratch.path("state"), "XDG_CACHE_HOME": scratch.path("cache"),
        "TMPDIR": scratch.path("tmp"),
      ]
      for folder in ["out", "seen", "tmp"] {
        try FileManager.default.createDirectory(atPath: scratch.path(folder), withIntermediateDirectories: true)
      }
      try scratch.clip("a.mp4", seconds: 2)
      try scratch.write("#!/bin/sh\n\(hook)\n", to: "hook")
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: scratch.path("hook"))
    }

    func reel(_ arguments: String...) throws -> Tool.Outcome { try ReelProgram.run(arguments, environment: environment) }

    /// Runs one job to its end.
    func job(_ spec: String, _ options: String...) throws -> (status: Int32, worker: Tool.Outcome) {
      try scratch.write(spec, to: "job.json")
      let submitted = try reel("jobs", "submit", scratch.path("job.json"))
      #expect(submitted.status == 0, "\(submitted.errors)")
      let worker = try ReelProgram.run(["worker", "--drain", "--moderate", scratch.path("hook")] + options, environment: environment)
      #expect(worker.status == 0, "\(worker.errors)")
      return (try reel("jobs", "watch", "1").status, worker)
    }

    func encode(_ output: String = "out.mp4") -> String {
      """
      {"kind": "encode", "inputs": {"input": "\(scratch.path("a.mp4"))"}, "outputs": {"output": "\(scratch.path("out/" + output))"}, \
      "payload": {"speed": "ultrafast"}, "project": "spring"}
      """
    }

    /// All that is in a folder, hidden files too.
    func names(_ folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path(folder))) ?? []).sorted()
    }

    /// The verdicts in the log.
    func verdicts() throws -> [[String: Any]] {
      let document = try ReelProgram.json(try reel("log", "list", "--kind", "moderation.verdict", "--json"))
      return try #require(document["events"] as? [[String: Any]])
    }
  }

  @Test("a hook that allows sees the frames that it was promised, and the output is published with its sidecar")
  func allowed() throws {
    let studio = try Studio(hook: #"cp "$1"/* "$(dirname "$0")/seen"; echo '{"verdict":"allow"}'"#)
    let (status, worker) = try studio.job(studio.encode(), "--moderation-frames", "5")
    #expect(status == 0, "\(worker.errors)")
    #expect(studio.names("out") == ["out.mp4", "out.mp4.sidecar.json"])
    #expect(studio.names("seen") == ["0001.jpg", "0002.jpg", "0003.jpg", "0004.jpg", "0005.jpg", "frames.json"])
    let times = try JSONDecoder().decode([Double].self, from: Data(Tool.bytes(of: studio.scratch.path("seen/frames.json"))))
    // The frames shown in the middle of five equal parts of two seconds, at 25 a second.
    #expect(zip(times, [0.2, 0.6, 1.0, 1.4, 1.8]).allSatisfy { abs($0 - $1) <= 0.041 } && times.count == 5, "\(times)")
    // They are pictures of the output: the tool's own frame at that time looks the same.
    let fields = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "info", "-ss", "\(times[2])", "-i", studio.scratch.path("out/out.mp4"), "-i",
        studio.scratch.path("seen/0003.jpg"),
        "-filter_complex", "[0:v]trim=end_frame=1,format=yuv420p[a];[1:v]scale=out_range=tv,format=yuv420p[b];[a][b]psnr", "-f", "null",
        "-",
      ])
    let psnr = fields.errors.split(separator: "average:").dropFirst().first.flatMap { Double($0.prefix { $0 != " " }) }
    #expect((psnr ?? 0) > 28, "\(fields.errors.suffix(300))")
    let verdicts = try studio.verdicts()
    let found = try #require(verdicts.first)
    #expect(verdicts.count == 1 && found["project"] as? String == "spring")
    let data = try #require(found["fields"] as? [String: Any] ?? found["data"] as? [String: Any])
    #expect(data["verdict"] as? String == "allow" && (data["count"] as? NSNumber)?.intValue == 5)
    #expect(studio.names("tmp").isEmpty)
  }

  @Test(
    "a hook that refuses, wants a person, crashes, is silent or says nonsense: 77, an event, and nothing anywhere",
    arguments: [
      (#"echo '{"verdict":"refuse","category":"violence"}'"#, "refuse", "violence"),
      (#"echo '{"verdict":"review"}'"#, "review", "none"), ("kill -SEGV $$", "refuse", "other"), ("exec sleep 60", "refuse", "other"),
      ("echo allow", "refuse", "other"),
    ])
  func refused(hook: String, verdict: String, category: String) throws {
    let studio = try Studio(hook: "echo $$ > $(dirname $0)/seen/pid; " + hook)
    let (status, worker) = try studio.job(studio.encode(), "--moderation-timeout", "1")
    #expect(status == 77)
    #expect(studio.names("out").isEmpty)
    #expect(studio.names("tmp").isEmpty)
    #expect(studio.names("state/reelwright/scratch").isEmpty)
    #expect(worker.errors.contains(#""code":"refused""#) && worker.errors.contains(#""status":77"#), "\(worker.errors)")
    let pid = String(decoding: Tool.bytes(of: studio.scratch.path("seen/pid")), as: UTF8.self).filter { $0 != "\n" }
    #expect(!pid.isEmpty && !FileManager.default.fileExists(atPath: "/proc/\(pid)"))
    let verdicts = try studio.verdicts()
    let found = try #require(verdicts.first)
    let data = try #require(found["fields"] as? [String: Any] ?? found["data"] as? [String: Any])
    #expect(verdicts.count == 1, "a refusal is not tried again")
    #expect(data["verdict"] as? String == verdict && data["category"] as? String == category)
  }

  @Test("a worker that is killed while the hook is asked: the next one asks again, publishes once, and nothing is left")
  func killedMeanwhile() throws {
    let studio = try Studio(
      hook: #"""
        seen="$(dirname "$0")/seen"
        if ! test -e "$seen/first"; then ls "$1" > "$seen/first"; kill -9 $PPID; exit 0; fi
        ls "$1" > "$seen/second"; echo '{"verdict":"allow"}'
        """#)
    try studio.scratch.write(studio.encode(), to: "job.json")
    #expect(try studio.reel("jobs", "submit", studio.scratch.path("job.json")).status == 0)
    #expect(try studio.reel("worker", "--drain", "--moderate", studio.scratch.path("hook")).status == 128 + 9)
    #expect(studio.names("seen") == ["first"] && studio.names("out").isEmpty)
    let again = try studio.reel("worker", "--drain", "--moderate", studio.scratch.path("hook"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(studio.names("seen") == ["first", "second"])
    #expect(studio.names("out") == ["out.mp4", "out.mp4.sidecar.json"])
    #expect(studio.names("state/reelwright/scratch").isEmpty && studio.names("tmp").isEmpty)
    #expect(try studio.verdicts().count == 1)
  }

  @Test(
    "a worker that is killed takes the hook with it, also one with a session of its own, and what the hook has started",
    arguments: ["sh", "setsid sh"])
  func killedHook(shell: String) throws {
    let studio = try Studio(
      hook: #"""
        cd "$(dirname "$0")/seen"; export worker=$PPID
        exec \#(shell) -c 'sleep 90 & echo $! > child; echo $$ > hook; kill -9 $worker; sleep 90'
        """#)
    try studio.scratch.write(studio.encode(), to: "job.json")
    #expect(try studio.reel("jobs", "submit", studio.scratch.path("job.json")).status == 0)
    #expect(try studio.reel("worker", "--drain", "--moderate", studio.scratch.path("hook")).status == 128 + 9)
    for name in ["child", "hook"] {
      let pid = String(decoding: Tool.bytes(of: studio.scratch.path("seen/\(name)")), as: UTF8.self).filter { $0 != "\n" }
      // A zombie that nobody has reaped yet is gone too.
      func isRunning() -> Bool {
        let state = String(decoding: Tool.bytes(of: "/proc/\(pid)/stat"), as: UTF8.self).split(separator: ")").last
        return state.map { !$0.hasPrefix(" Z") && !$0.hasPrefix(" X") } ?? false
      }
      for _ in 0..<500 where isRunning() { usleep(10_000) }
      #expect(!pid.isEmpty && !isRunning(), "\(name) \(pid)")
    }
    #expect(studio.names("out").isEmpty)
  }

  @Test(
    "a hook that no process can be had for is no verdict: 75, and nothing in the log",
    .enabled(if: access("/usr/bin/strace", X_OK) == 0, "needs strace"))
  func noProcess() throws {
    let studio = try Studio(hook: #"echo '{"verdict":"allow"}'"#)
    let spec = studio.encode().replacing(#""project""#, with: #""retry": {"attempts": 1}, "project""#)
    try studio.scratch.write(spec, to: "job.json")
    #expect(try studio.reel("jobs", "submit", studio.scratch.path("job.json")).status == 0)
    // Threads and programs are started by clone3; what remains is the fork of the process that watches over the hook.
    let worker = try Tool.run(
      "strace",
      [
        "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone", "-e", "inject=clone:error=EAGAIN", ReelProgram.path, "worker", "--drain",
        "--isolation", "none", "--moderate", studio.scratch.path("hook"),
      ], environment: studio.environment)
    #expect(worker.errors.contains(#""code":"retryLater""#) && worker.errors.contains(#""status":75"#), "\(worker.errors)")
    #expect(try studio.verdicts().isEmpty)
    #expect(try studio.reel("jobs", "retry", "1").status == 0)
    #expect(try studio.reel("worker", "--drain", "--isolation", "none", "--moderate", studio.scratch.path("hook")).status == 0)
    #expect(studio.names("out") == ["out.mp4", "out.mp4.sidecar.json"])
    #expect(try studio.verdicts().count == 1)
  }

  @Test("every output of a job is looked at: stills whole, sound and text with no frames")
  func kinds() throws {
    let studio = try Studio(hook: #"cat "$1/frames.json" >> "$(dirname "$0")/seen/times"; echo '{"verdict":"allow"}'"#)
    let out = studio.scratch.path("out")
    let frames = """
      {"kind": "frames", "inputs": {"in": "\(studio.scratch.path("a.mp4"))"}, "outputs": {"sheet": "\(out)/s.jpg", \
      "sprites/p.jpg": "\(out)/p.jpg", "sprites/p.vtt": "\(out)/p.vtt"}, "payload": {"sheet": {"columns": 2, "rows": 2, "format": "jpg"}, \
      "sprites": {"file": "p.jpg"}, "images": null}}
      """
    let (status, worker) = try studio.job(frames)
    #expect(status == 0, "\(worker.errors)")
    #expect(studio.names("out").filter { !$0.hasSuffix(".sidecar.json") } == ["p.jpg", "p.vtt", "s.jpg"])
    #expect(
      String(decoding: Tool.bytes(of: studio.scratch.path("seen/times")), as: UTF8.self) == "[0,0]", "two pictures, the text has none")
    let wave = studio.scratch.path("wave.wav")
    #expect(try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", wave]).status == 0)
    _ = try studio.job(#"{"kind": "encode", "inputs": {"input": "\#(wave)"}, "outputs": {"output": "\#(out)/sound.m4a"}}"#)
    #expect(studio.names("out").contains("sound.m4a"))
    #expect(String(decoding: Tool.bytes(of: studio.scratch.path("seen/times")), as: UTF8.self) == "[0,0][]")
    // A dark picture without compression is text, byte for byte.
    let dark = studio.scratch.path("dark.mp4")
    let source = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=c=0x404040:s=64x48:d=1", dark]
    #expect(try Tool.run("ffmpeg", source).status == 0)
    let (last, second) = try studio.job(
      """
      {"kind": "frames", "inputs": {"in": "\(dark)"}, "outputs": {"sheet": "\(out)/d.jpg", "frames/d.ppm": "\(out)/d.ppm"}, \
      "payload": {"sheet": {"columns": 1, "rows": 1, "format": "jpg"}, "images": {"format": "ppm", "pattern": "d.{ext}", "stem": "d"}}}
      """)
    #expect(studio.names("out").contains("d.ppm"), "\(last) \(second.errors)")
    #expect(Tool.bytes(of: "\(out)/d.ppm").allSatisfy { (1...127).contains($0) })
    #expect(String(decoding: Tool.bytes(of: studio.scratch.path("seen/times")), as: UTF8.self) == "[0,0][][0,0]")
  }

  @Test("a hook that cannot be run is a configuration error before any job is taken")
  func missing() throws {
    let studio = try Studio(hook: "")
    let outcome = try studio.reel("worker", "--drain", "--moderate", studio.scratch.path("absent"))
    #expect(outcome.status == 78 && outcome.errors.contains("cannot use"), "\(outcome.errors)")
  }
}
