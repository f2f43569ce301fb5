import Composition
import FileAccess
import MediaCore
import MediaTasks
import TestSupport
import Testing

@Suite(.enabled(if: MediaPack.isPresent, "needs ../shared/media")) struct RenderTaskTests {
  private static let document = """
    { "reel": 1, "canvas": { "width": 270, "height": 480, "frameRate": 30 },
      "sequence": [
        { "media": "flower.mp4", "trim": ["0.5s", "2s"], "fit": "cover" },
        { "transition": "crossfade", "duration": "0.5s" },
        { "media": "crystal.mp4", "trim": ["0s", "1.5s"], "fit": "contain" },
        { "transition": "crossfade", "duration": "0.3s", "easing": "ease-in-out" },
        { "image": "hands.jpg", "duration": "1.2s", "kenBurns": { "to": { "zoom": 1.3 } } } ],
      "overlays": [ { "image": "logo.png", "anchor": "top-right", "margin": 12, "width": "18%", "opacity": 0.9, "fadeIn": "0.3s" } ],
      "audio": { "music": { "file": "music.ogg", "volume": -12, "fadeOut": "0.5s" }, "clips": -6 },
      "output": { "speed": "ultrafast" } }
    """

  private func files(_ scratch: ScratchFolder) throws -> LocalFiles {
    LocalFiles(
      inputs: [
        "flower.mp4": try #require(MediaPack.path("natural/mdn_flower_960x540_29.97fps_aac.mp4")),
        "crystal.mp4": try #require(MediaPack.path("natural/mdnla_crystal_720x480_30fps_aac.mp4")),
        "hands.jpg": try #require(MediaPack.path("demo/painted_hands_640x427.jpg")),
        "logo.png": try #require(MediaPack.path("images/mediabunny_logo.png")),
        "music.ogg": try #require(MediaPack.path("audio/vibe_ace_kevin_macleod.ogg")),
      ], outputs: ["output": scratch.path + "/ad.mp4"])
  }

  @Test func theFileIsWhatThePlanSays() throws {
    let scratch = try ScratchFolder()
    let files = try files(scratch)
    let task = RenderTask(document: RenderTaskTests.document, documentName: "ad.reel.json")
    let plan = try RenderPlanTask(task).run(in: TaskContext(files: files))
    // 1.5 + 1.5 + 1.2 seconds of clips, 0.8 of transitions.
    #expect(plan.frames == 102)
    #expect(plan.segments.first?.from == 0 && plan.segments.last?.to == 102)
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    let out = scratch.path + "/ad.mp4"
    #expect(try Oracle.videoFrameCount(out) == plan.frames)
    let facts = try Tool.lines(
      "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,profile,width,height,pix_fmt,color_space:format=duration", "-of",
      "csv=p=0", out)
    #expect(facts.contains { $0.hasPrefix("h264,High,270,480,yuv420p,bt709") || $0.hasPrefix("h264,Constrained Baseline,270,480") })
    #expect(facts.contains { $0.hasPrefix("aac") })
    #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", out, "-f", "null", "-"]).errors == "")
    #expect(report.frames["inTransitions"] == 24)
  }

  /// FFmpeg's own EBU R128 meter over the encoded file.
  @Test(arguments: [-14.0, -23.0, -9.0]) func loudnessIsWhatTheDocumentAsksFor(_ target: Double) throws {
    let scratch = try ScratchFolder()
    let files = try files(scratch)
    let text = RenderTaskTests.document.replacing("\"clips\": -6 }", with: "\"clips\": -6, \"loudness\": \(target) }")
    let task = RenderTask(document: text, documentName: "ad.reel.json")
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    let meter = try Tool.run("ffmpeg", ["-nostdin", "-i", scratch.path + "/ad.mp4", "-vn", "-af", "ebur128=peak=true", "-f", "null", "-"])
      .errors
    let summary = meter.split(separator: "\n").suffix(12)
    func value(_ label: String) -> Double? {
      summary.last { $0.contains(label) }.flatMap { $0.split(separator: " ").compactMap { Double($0) }.first }
    }
    let loudness = try #require(value("I:"))
    let peak = try #require(value("Peak:"))
    #expect(abs(loudness - target) <= 0.5)
    #expect(peak <= -1)
  }

  @Test func cancellingLeavesNothing() throws {
    let scratch = try ScratchFolder()
    let files = try files(scratch)
    let cancellation = Cancellation()
    let context = TaskContext(files: files, cancellation: cancellation, progress: { _ in cancellation.cancel() })
    let error = #expect(throws: MediaError.self) {
      try RenderTask(document: RenderTaskTests.document, documentName: "ad.reel.json").run(in: context)
    }
    #expect(error?.code == .cancelled)
    #expect(scratch.names == [])
  }
}
