import Composition
import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Overlays that move or are turned, sound at other speeds, and outputs other than plain MP4. The oracle is FFmpeg's command line.
@Suite struct OverlayRenderTests {
  /// A folder with sources and what is made of them.
  private struct Studio: @unchecked Sendable {
    let scratch: ScratchFolder
    var folder: String { scratch.path }

    init() throws { scratch = try ScratchFolder() }

    func make(_ name: String, _ arguments: [String]) throws {
      let made = try Tool.run("ffmpeg", ["-v", "error", "-y"] + arguments + [folder + "/" + name])
      try #require(made.errors == "")
    }

    private func task(_ overlays: String, _ more: String, clip: String) -> RenderTask {
      RenderTask(
        document: """
          { "reel": 1, "canvas": { "width": 160, "height": 120, "frameRate": 25 }, "sequence": [ \(clip) ],
            "overlays": [ \(overlays) ], \(more) "output": { "preset": "standard", "speed": "ultrafast" } }
          """, documentName: "ad.reel.json")
    }

    private func files(_ inputs: [String], _ output: String) -> LocalFiles {
      LocalFiles(
        inputs: Dictionary(uniqueKeysWithValues: inputs.map { ($0, folder + "/" + $0) }), outputs: ["output": folder + "/" + output],
        mayReplace: true)
    }

    /// R, G, B bytes of a composed frame.
    func frame(_ index: Int, overlays: String, inputs: [String], seconds: Int = 4) throws -> [UInt8] {
      let files = files(inputs, "frame.png")
      let task = task(overlays, "", clip: "{ \"color\": \"#404040\", \"duration\": \(seconds) }")
      _ = try RenderFrameTask(task, at: .frame(index)).run(in: TaskContext(files: files))
      try files.publish("output", sidecar: nil)
      return try pixels(["-i", folder + "/frame.png"])
    }

    func pixels(_ arguments: [String]) throws -> [UInt8] {
      try make("pixels.rgb", arguments + ["-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo"])
      return Tool.bytes(of: folder + "/pixels.rgb")
    }

    func render(_ clip: String, overlays: String = "", more: String = "", inputs: [String], to output: String) throws -> TaskReport {
      let files = files(inputs, output)
      var task = task(overlays, more, clip: clip)
      task.outputExtension = output.split(separator: ".").last.map(String.init)
      let report = try task.run(in: TaskContext(files: files))
      try files.publish("output", sidecar: nil)
      return report
    }

    /// When clicks begin, in seconds.
    func onsets(_ name: String) throws -> [Double] {
      try make("sound.raw", ["-i", folder + "/" + name, "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "8000", "-f", "s16le"])
      let bytes = Tool.bytes(of: folder + "/sound.raw")
      var (times, last): ([Double], Int) = ([], -8000)
      for index in 0..<bytes.count / 2 {
        let sample = Int16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8)
        guard abs(Int(sample)) > 5000 else { continue }
        if index - last > 800 { times.append(Double(index) / 8000) }
        last = index
      }
      return times
    }
  }

  private func psnr(_ a: [UInt8], _ b: [UInt8]) -> Double {
    precondition(a.count == b.count && !a.isEmpty)
    let sum = zip(a, b).reduce(0.0) { $0 + Double((Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1))) }
    return sum == 0 ? 99 : 10 * (255 * 255 * Double(a.count) / sum).log10
  }

  @Test func aVideoPlaysInThePictureAndBeginsAgain() throws {
    let studio = try Studio()
    try studio.make(
      "pip.mp4", ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", "-pix_fmt", "yuv420p", "-crf", "5", "-colorspace", "bt709"])
    // Trimmed to a second, at double speed, so that it begins again every half second.
    let overlay = """
      { "media": "pip.mp4", "anchor": "top-left", "margin": {"x": 10, "y": 20}, "trim": ["0.5s", "1.5s"], "speed": 2, "loop": true, \
      "from": "1s" }
      """
    // A pass is half a second: thirteen frames, rounded.
    for (frame, source) in [(25, 0.5), (30, 0.9), (37, 1.46), (38, 0.5), (44, 0.98)] {
      let own = try studio.frame(frame, overlays: overlay, inputs: ["pip.mp4"])
      // The picture on show is the last that begins at or before its time.
      let shown = (source * 25 + 1e-9).rounded(.down) / 25
      let likeness = try [-0.2, 0, 0.2].map { away in
        psnr(
          own,
          try studio.pixels([
            "-ss", String(shown + away - 0.001), "-i", studio.folder + "/pip.mp4", "-vf",
            "scale=in_color_matrix=bt709,format=rgb24,pad=160:120:10:20:color=#404040",
          ]))
      }
      #expect(likeness[1] > 30 && likeness[1] > likeness[0] && likeness[1] > likeness[2], "frame \(frame): \(likeness)")
    }
    // Before it begins, and without a loop after its source's end, there is nothing.
    let before = try studio.frame(24, overlays: overlay, inputs: ["pip.mp4"])
    #expect(Set(before).count <= 3)
    let once = overlay.replacing(", \"loop\": true", with: "")
    #expect(Set(try studio.frame(38, overlays: once, inputs: ["pip.mp4"])).count <= 3)
  }

  @Test(arguments: [0.0, 90, -90, 180, 30, -12.5]) func turnedOverlaysAreFFmpegs(_ degrees: Double) throws {
    let studio = try Studio()
    try studio.make("mark.png", ["-f", "lavfi", "-i", "testsrc=s=60x40,boxblur=1", "-frames:v", "1", "-pix_fmt", "rgba"])
    let own = try studio.frame(
      10, overlays: "{ \"image\": \"mark.png\", \"anchor\": \"center\", \"rotation\": \(degrees) }", inputs: ["mark.png"])
    let theirs = try studio.pixels([
      "-f", "lavfi", "-i", "color=#404040:s=160x120", "-i", studio.folder + "/mark.png", "-filter_complex",
      "[1]pad=80:80:10:20:color=black@0,rotate=\(degrees)*PI/180:c=none[t];[0]format=rgb24[b];[b][t]overlay=40:20:format=rgb",
    ])
    #expect(psnr(own, theirs) > 25)
  }

  @Test func animatedImagesMoveAndRotationsRun() throws {
    let studio = try Studio()
    // Red, then green, half a second each.
    try studio.make(
      "blink.gif",
      [
        "-f", "lavfi", "-i", "color=red:s=20x20:r=10:d=0.5", "-f", "lavfi", "-i", "color=lime:s=20x20:r=10:d=0.5", "-filter_complex",
        "concat",
      ])
    let overlay = "{ \"image\": \"blink.gif\", \"anchor\": \"center\" }"
    for (frame, isRed) in [(0, true), (10, true), (14, false), (23, false), (26, true), (39, false), (52, true)] {
      let picture = try studio.frame(frame, overlays: overlay, inputs: ["blink.gif"])
      let middle = (60 * 160 + 80) * 3
      #expect((picture[middle] > 200) == isRed && (picture[middle + 1] > 200) == !isRed, "frame \(frame)")
    }
    try studio.make("bar.png", ["-f", "lavfi", "-i", "color=white:s=60x10", "-frames:v", "1"])
    let turning = "{ \"image\": \"bar.png\", \"anchor\": \"center\", \"rotation\": { \"from\": 0, \"to\": 360 } }"
    // After a quarter of the turn it stands upright.
    let upright = try studio.frame(25, overlays: turning, inputs: ["bar.png"])
    #expect(upright[((60 - 25) * 160 + 80) * 3] > 180 && upright[(60 * 160 + 80 + 25) * 3] < 80)
  }

  @Test(arguments: [1.25, 0.5, 3.0]) func soundKeepsStepWithItsPicturesAtAnySpeed(_ speed: Double) throws {
    let studio = try Studio()
    try studio.make(
      "clicks.mp4",
      [
        "-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,1),0.04),0.8*sin(2*PI*1000*t),0)':s=48000:d=6", "-f", "lavfi", "-i",
        "color=gray:s=64x48:r=25:d=6", "-c:a", "aac",
      ])
    let report = try studio.render("{ \"media\": \"clicks.mp4\", \"speed\": \(speed) }", inputs: ["clicks.mp4"], to: "out.mp4")
    #expect(report.outputs[0].frames == Int64((150 / speed).rounded()))
    let times = try studio.onsets("out.mp4")
    #expect(times.count == 6)
    for (index, time) in times.enumerated() { #expect(abs(time - Double(index) / speed) < 0.045, "click \(index) at \(time)") }
    // The pitch is the same: a second of it has 1000 zero crossings a second each way.
    let volume = try Tool.run(
      "ffmpeg", ["-i", studio.folder + "/out.mp4", "-af", "bandpass=f=1000:width_type=h:w=200,volumedetect", "-f", "null", "-"])
    let other = try Tool.run(
      "ffmpeg", ["-i", studio.folder + "/out.mp4", "-af", "bandpass=f=\(1000 * speed):width_type=h:w=200,volumedetect", "-f", "null", "-"])
    func mean(_ text: String) -> Double? {
      text.split(separator: "\n").first { $0.contains("mean_volume") }?.split(separator: " ").compactMap { Double($0) }.last
    }
    #expect(try #require(mean(volume.errors)) > #require(mean(other.errors)) + 6)
  }

  @Test func aVideoInThePictureIsHeardWhenAskedFor() throws {
    let studio = try Studio()
    try studio.make(
      "clicks.mp4",
      [
        "-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,1),0.04),0.8*sin(2*PI*1000*t),0)':s=48000:d=3", "-f", "lavfi", "-i",
        "color=gray:s=64x48:r=25:d=3", "-c:a", "aac",
      ])
    let clip = "{ \"color\": \"black\", \"duration\": 4 }"
    let overlay = "{ \"media\": \"clicks.mp4\", \"from\": \"0.5s\", \"trim\": [\"1s\", \"2s\"], \"loop\": true, \"volume\": 0 }"
    _ = try studio.render(clip, overlays: overlay, inputs: ["clicks.mp4"], to: "heard.mp4")
    let times = try studio.onsets("heard.mp4")
    #expect(times.count == 4)
    for (index, time) in times.enumerated() { #expect(abs(time - 0.5 - Double(index)) < 0.025) }
    let silent = try studio.render(
      clip, overlays: overlay.replacing(", \"volume\": 0", with: ""), inputs: ["clicks.mp4"], to: "silent.mp4")
    #expect(silent.outputs[0].audioCodec == nil)
  }

  @Test func fragmentsAndAnimations() throws {
    let studio = try Studio()
    let clip = "{ \"color\": \"teal\", \"duration\": 3 }"
    try studio.make("move.mp4", ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=3", "-g", "25"])
    let files = LocalFiles(
      inputs: ["move.mp4": studio.folder + "/move.mp4"], outputs: ["output": studio.folder + "/parts.mp4"], mayReplace: true)
    let task = RenderTask(
      document: """
        { "reel": 1, "canvas": { "width": 160, "height": 120, "frameRate": 25 }, "sequence": [ { "media": "move.mp4" } ],
          "output": { "preset": "standard", "fragmented": true, "keyframeInterval": 1 } }
        """, documentName: "ad.reel.json")
    _ = try task.run(in: TaskContext(files: files))
    try files.publish("output", sidecar: nil)
    let bytes = Tool.bytes(of: studio.folder + "/parts.mp4")
    let marker = Array("moof".utf8)
    #expect((0..<bytes.count - 4).count { bytes[$0] == marker[0] && Array(bytes[$0..<$0 + 4]) == marker } == 3)
    #expect(try Oracle.videoFrameCount(studio.folder + "/parts.mp4") == 75)

    // The same with a playlist, which FFmpeg's HLS reader plays from its byte ranges.
    var listed = task
    listed.playlist = "playlist"
    listed.playlistMedia = "list.mp4"
    let both = LocalFiles(
      inputs: ["move.mp4": studio.folder + "/move.mp4"],
      outputs: ["output": studio.folder + "/list.mp4", "playlist": studio.folder + "/list.m3u8"], mayReplace: true)
    _ = try listed.run(in: TaskContext(files: both))
    try both.publish("output", sidecar: nil)
    try both.publish("playlist", sidecar: nil)
    let played = try Tool.lines(
      "ffprobe", "-v", "warning", "-allowed_extensions", "ALL", "-count_frames", "-select_streams", "v", "-show_entries",
      "stream=nb_read_frames:format=duration,format_name", "-of", "csv=p=0", studio.folder + "/list.m3u8")
    #expect(played.first == "75" && played.contains("hls,3.000000"))

    for name in ["look.gif", "look.webp"] {
      let report = try studio.render(clip, overlays: "{ \"media\": \"move.mp4\" }", inputs: ["move.mp4"], to: name)
      #expect(report.outputs[0].frames == 38 && report.outputs[0].width == 160)
    }
    #expect(try Oracle.videoFrameCount(studio.folder + "/look.gif") == 38)
  }
}

extension Double {
  fileprivate var log10: Double { Glibc.log10(self) }
}
