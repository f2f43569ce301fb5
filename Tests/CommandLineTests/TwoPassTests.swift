import TestSupport
import Testing

/// A bit rate spread in two passes, in the sealed worker and in this process.
@Suite("Two passes")
struct TwoPassTests {
  /// Five seconds of which the last two are much harder than the rest.
  private func clip(_ scratch: Scratch) throws -> String {
    let path = scratch.path("uneven.mp4")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=5", "-vf", "noise=alls=12:allf=t:enable='gte(t,3)'", "-c:v",
        "libx264",
        "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", path,
      ])
    try #require(made.errors == "")
    return path
  }

  /// Bytes of all pictures, and of those before three seconds, by ffprobe.
  private func bytes(_ path: String) throws -> (all: Int, early: Int) {
    let packets = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0", path
    ).compactMap { line -> (time: Double, size: Int)? in
      let parts = line.split(separator: ",")
      guard parts.count >= 2, let time = Double(parts[0]), let size = Int(parts[1]) else { return nil }
      return (time, size)
    }
    #expect(packets.count == 125)
    return (packets.reduce(0) { $0 + $1.size }, packets.reduce(0) { $0 + ($1.time < 3 ? $1.size : 0) })
  }

  @Test("meet the bit rate, with the same result wherever they run", arguments: ["h264", "hevc", "vp9"])
  func meetTheBitRate(_ codec: String) throws {
    let scratch = try Scratch()
    let clip = try clip(scratch)
    let output = scratch.path(codec == "vp9" ? "out.webm" : "out.mp4")
    var results: [[UInt8]] = []
    for isolation in ["process", "none"] {
      let outcome = try ReelProgram.run(
        "encode", clip, "-o", output, "--codec", codec, "--bitrate", "400k", "--two-pass", "--speed", "veryfast", "--threads", "1",
        "--isolation", isolation, "--overwrite")
      #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
      results.append(Tool.bytes(of: output))
    }
    #expect(!results[0].isEmpty && results[0] == results[1])
    #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", output, "-f", "null", "-"]).errors == "")
    let (all, early) = try bytes(output)
    // Five seconds are short for a rate control; FFmpeg's own two passes of the same encoder come to the same size.
    #expect(abs(Double(all) / 250_000 - 1) < 0.12, "\(all) bytes")
    let (peer, peerEarly) = try bytes(try twoPasses(clip, codec, scratch))
    #expect(abs(Double(all) / Double(peer) - 1) < 0.03, "\(all) and \(peer) bytes")
    #expect(abs(Double(early) / Double(all) - Double(peerEarly) / Double(peer)) < 0.05, "\(early) of \(all), \(peerEarly) of \(peer)")
  }

  /// The same by FFmpeg's own tool.
  private func twoPasses(_ clip: String, _ codec: String, _ scratch: Scratch) throws -> String {
    let output = scratch.path(codec == "vp9" ? "peer.webm" : "peer.mp4")
    let log = scratch.path("passes")
    for pass in ["1", "2"] {
      let own =
        switch codec {
        case "h264": ["-c:v", "libx264", "-preset", "veryfast", "-pass", pass, "-passlogfile", log]
        case "hevc": ["-c:v", "libx265", "-preset", "veryfast", "-x265-params", "log-level=error:pass=\(pass):stats=\(log)"]
        default:
          ["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1", "-pass", pass, "-passlogfile", log]
        }
      let made = try Tool.run("ffmpeg", ["-v", "error", "-y", "-i", clip] + own + ["-b:v", "400k", "-threads", "1", output])
      try #require(made.errors == "")
    }
    return output
  }

  @Test("a document can ask for them")
  func documents() throws {
    let scratch = try Scratch()
    _ = try clip(scratch)
    func document(_ output: String) throws -> String {
      try scratch.write(
        """
        { "reel": 1, "canvas": { "width": 320, "height": 240, "frameRate": 25 },
          "sequence": [ { "media": "uneven.mp4" } ], "output": { \(output) } }
        """, to: "ad.json")
    }
    let output = scratch.path("ad.mp4")
    let fields = #""bitrate": "400k", "speed": "veryfast", "twoPass": true"#
    let outcome = try ReelProgram.run(
      "render", try document(fields), "-o", output, "--no-cache", "--json", "--progress", "none")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (all, _) = try bytes(output)
    #expect(abs(Double(all) / 250_000 - 1) < 0.12, "\(all) bytes")
    #expect(outcome.output.contains("two passes"))

    let without = try ReelProgram.run("render", try document(#""twoPass": true"#), "-o", scratch.path("x.mp4"))
    #expect(without.status == 64 && without.errors.contains("twoPass"), "\(without.errors)")
    let av1 = try ReelProgram.run("render", try document(fields + #", "codec": "av1""#), "-o", scratch.path("x.mp4"))
    #expect(av1.status == 69 && av1.errors.contains("libsvtav1 takes no statistics"), "\(av1.errors)")
  }

  @Test(
    "where they are not to be had the reason is said",
    arguments: [
      (["--codec", "av1", "--bitrate", "1M"], 69, "libsvtav1 takes no statistics"),
      (["--codec", "ffv1", "--bitrate", "1M"], 69, "codes each picture by itself"),
      (["--codec", "copy"], 64, "--two-pass changes them"), ([], 64, "there is none"),
    ] as [([String], Int32, String)])
  func refusals(_ arguments: [String], _ status: Int32, _ reason: String) throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("clip.mp4")
    let outcome = try ReelProgram.run(["encode", clip, "-o", scratch.path("out.mkv"), "--two-pass"] + arguments)
    #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }
}
