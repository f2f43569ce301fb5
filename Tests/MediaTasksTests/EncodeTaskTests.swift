import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

@Suite(.enabled(if: MediaPack.isPresent, "needs ../shared/media")) struct EncodeTaskTests {
  @Test(arguments: [
    "natural/mdn_flower_960x540_29.97fps_aac.mp4", "odd/mediabunny_edts.mp4", "odd/decord_video_90.mov", "odd/mediabunny_sar_2x1.mp4",
    "odd/moviepy_1x1.mp4", "audio/mdn_guitar.mp3", "images/exif_Landscape_6.jpg", "odd/androidx_hlg10-color-test.mp4",
  ])
  func everyDecodedFrameIsInTheOutput(_ name: String) throws {
    let path = try #require(MediaPack.path(name))
    let scratch = try ScratchFolder()
    let out = scratch.path + "/out.mp4"
    let files = LocalFiles(inputs: ["input": path], outputs: ["output": out])
    var task = EncodeTask()
    task.outputExtension = "mp4"
    task.speed = "ultrafast"
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    #expect(scratch.names == ["out.mp4", "out.mp4.sidecar.json"])
    let expected = try Oracle.videoFrameCount(path)
    #expect(try Oracle.videoFrameCount(out) == expected)
    #expect(report.outputs[0].frames == Int64(expected))
    #expect(report.inputs[0].incomplete == [])
    #expect(report.inputs[0].damage == [])
    #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", out, "-f", "null", "-"]).errors == "")
  }
}
