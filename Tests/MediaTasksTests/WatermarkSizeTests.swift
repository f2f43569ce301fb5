import FileAccess
import MediaCore
import MediaTasks
import TestSupport
import Testing
import Watermark

/// Marks pictures of many sizes, rates and depths and finds the marks again.
@Suite struct WatermarkSizeTests {
  struct Form: Sendable, CustomTestStringConvertible {
    var size: String
    var rate = "15"
    var seconds = "2"
    var format = "yuv420p"
    var more: [String] = []
    var keepsHDR = false
    var testDescription: String { "\(size) \(rate) fps \(format)" }
  }

  /// 240p to 4K, odd, portrait and landscape, 12 to 120 pictures a second, gray, ten bits, HDR, one picture.
  static let forms = [
    Form(size: "426x240"), Form(size: "240x426", rate: "12"), Form(size: "853x479"), Form(size: "481x271", rate: "120", seconds: "1"),
    Form(size: "360x640", rate: "60", seconds: "1"), Form(size: "640x480", format: "gray"), Form(size: "640x360", format: "yuv444p10le"),
    Form(size: "1280x720", seconds: "1"), Form(size: "1080x1920", seconds: "0.5"), Form(size: "3840x2160", seconds: "0.3"),
    Form(
      size: "640x360", format: "yuv420p10le", more: ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
      keepsHDR: true),
    Form(size: "960x540", rate: "25", seconds: "0.04"),
  ]

  @Test(.enabled(if: MediaPack.isSlowRun, "needs REELWRIGHT_SLOW=1"), arguments: forms) func markedAndFoundAgain(_ form: Form) throws {
    let scratch = try ScratchFolder()
    let key = WatermarkKey.generate()
    try key.create(at: scratch.path + "/key")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-nostdin", "-f", "lavfi", "-i", "mandelbrot=size=\(form.size):rate=\(form.rate)", "-t", form.seconds, "-pix_fmt",
        form.format, "-c:v", "ffv1",
      ] + form.more + [scratch.path + "/in.mkv"])
    #expect(made.errors == "")
    var task = EncodeTask()
    task.outputExtension = "mp4"
    task.speed = "veryfast"
    task.crf = 20
    task.watermark = MarkRequest(id: WatermarkID(0xBEEF))
    if form.keepsHDR {
      task.keep = [.hdr]
      task.codec = "hevc"
    }
    let inputs = ["input": scratch.path + "/in.mkv", MarkRequest.defaultKeyName: scratch.path + "/key"]
    let files = LocalFiles(inputs: inputs, outputs: ["output": scratch.path + "/out.mp4"])
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    #expect(try #require(report.watermark?.meanPSNR) >= 44 && #require(report.watermark?.worstPSNR) >= 41)
    let detect = DetectTask(inputs: ["copy"])
    let found = try detect.run(
      in: TaskContext(
        files: LocalFiles(inputs: ["copy": scratch.path + "/out.mp4", MarkRequest.defaultKeyName: scratch.path + "/key"])))
    #expect(found.files.first?.marks.map(\.id) == ["000000000000beef"])
  }
}
