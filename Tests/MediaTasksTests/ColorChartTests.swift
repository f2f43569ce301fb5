import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Known colours through probe, encode and an independent decoder.
@Suite struct ColorChartTests {
  @Test("patches keep their colour within one level of 8-bit RGB", arguments: ColorChart.Layout.all)
  func patchesKeepTheirColor(_ layout: ColorChart.Layout) throws {
    let scratch = try ScratchFolder()
    let chart = ColorChart(layout: layout)
    let source = scratch.path + "/chart.mkv"
    try write(chart.raw(frames: 3), to: scratch.path + "/chart.yuv")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", layout.pixelFormat, "-s", "\(ColorChart.width)x\(ColorChart.height)", "-i",
        scratch.path + "/chart.yuv", "-c:v", "ffv1", "-color_range", layout.isFull ? "pc" : "tv", "-colorspace", layout.matrix.rawValue,
        "-color_primaries", layout.matrix.primaries, "-color_trc", layout.matrix.transfer, source,
      ])
    try #require(made.status == 0, "\(made.errors)")

    let probed = try ProbeTask(inputs: ["input"]).run(in: TaskContext(files: LocalFiles(inputs: ["input": source])))
    let video = try #require(probed.files[0].video.first)
    #expect(video.color.matrix == layout.matrix.rawValue)
    #expect(video.color.range == (layout.isFull ? "full" : "limited"))
    #expect(video.pixelFormat == layout.pixelFormat)

    let out = scratch.path + "/out.mkv"
    let files = LocalFiles(inputs: ["input": source], outputs: ["output": out])
    var task = EncodeTask()
    task.codec = "ffv1"
    task.outputExtension = "mkv"
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)

    let facts = try Tool.lines(
      "ffprobe", "-v", "error", "-show_entries", "stream=pix_fmt,color_range,color_space", "-of", "csv=p=0", out)[0].split(separator: ",")
    #expect(facts.first == "yuv420p")
    let matrix = try #require(facts.count > 2 ? ColorChart.Matrix(rawValue: String(facts[2])) : nil, "\(facts)")
    let decoded = scratch.path + "/out.yuv"
    let decoding = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-i", out, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-frames:v", "1", decoded])
    try #require(decoding.status == 0, "\(decoding.errors)")
    let found = ColorChart.measure(Tool.bytes(of: decoded), matrix: matrix, isFull: facts[1] == "pc")
    for (index, (a, b)) in zip(chart.colors, found).enumerated() {
      let worst = max(abs(a.0 - b.0), abs(a.1 - b.1), abs(a.2 - b.2))
      #expect(worst <= 1, "patch \(index): \(b) instead of \(a)")
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }
}
