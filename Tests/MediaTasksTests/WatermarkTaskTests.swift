import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing
import Watermark

/// Marks clips with the encode task, treats them with the ffmpeg tool, and finds the marks with the detect task.
@Suite struct WatermarkTaskTests {
  private let scratch: ScratchFolder
  private let key: WatermarkKey

  init() throws {
    scratch = try ScratchFolder()
    key = .generate()
    try key.create(at: scratch.path + "/key")
  }

  private func ffmpeg(_ arguments: String...) throws {
    let outcome = try Tool.run("ffmpeg", ["-v", "error", "-nostdin", "-y"] + arguments)
    #expect(outcome.errors == "")
  }

  /// A moving picture with texture; `seed` makes clips differ.
  private func clip(_ name: String, seed: Int, seconds: Double = 2, size: String = "640x360", more: String = "") throws -> String {
    let path = scratch.path + "/" + name
    try ffmpeg(
      "-f", "lavfi", "-i", "mandelbrot=size=\(size):rate=15:start_scale=\(1 + seed).5", "-t", "\(seconds)", "-vf", "format=yuv420p\(more)",
      "-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", path)
    return path
  }

  private func mark(_ path: String, _ id: UInt64, _ name: String, keyName: String = "/key") throws -> TaskReport {
    var task = EncodeTask()
    task.outputExtension = "mp4"
    task.speed = "veryfast"
    task.crf = 20
    task.watermark = MarkRequest(id: WatermarkID(id))
    let files = LocalFiles(
      inputs: ["input": path, MarkRequest.defaultKeyName: scratch.path + keyName], outputs: ["output": scratch.path + "/" + name])
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    return report
  }

  private func detect(_ names: [String], key: String = "/key") throws -> DetectReport {
    var inputs = [MarkRequest.defaultKeyName: scratch.path + key]
    for name in names { inputs[name] = name.hasPrefix("/") ? name : scratch.path + "/" + name }
    return try DetectTask(inputs: names).run(in: TaskContext(files: LocalFiles(inputs: inputs)))
  }

  @Test func aMirroredScaledCopyNamesItsId() throws {
    let report = try mark(clip("a.mp4", seed: 0), 1000, "marked.mp4")
    #expect(report.watermark?.id == "00000000000003e8" && report.watermark?.keyId == key.id.description)
    #expect(try #require(report.watermark?.meanPSNR) >= 44.3 && report.watermark?.pictures == 30)
    try ffmpeg(
      "-i", scratch.path + "/marked.mp4", "-vf", "hflip,scale=560:316", "-c:v", "libx264", "-crf", "18", scratch.path + "/copy.mp4")
    let found = try detect(["marked.mp4", "copy.mp4", "a.mp4"])
    #expect(found.files.map { $0.marks.map(\.id) } == [["00000000000003e8"], ["00000000000003e8"], []])
    let copy = try #require(found.files[1].marks.first)
    #expect(copy.transform.flipped && abs(copy.transform.scaleX / 0.4375 - 1) < 0.005)
    #expect(copy.log10FalsePositive < -9 && copy.ranges.first?.first == 0)
    // The key leaves no trace in the sidecar.
    let sidecar = String(decoding: Tool.bytes(of: scratch.path + "/marked.mp4.sidecar.json"), as: UTF8.self)
    #expect(sidecar.contains(key.id.description) && !sidecar.contains(scratch.path + "/key"))
  }

  @Test func aCompilationNamesItsParts() throws {
    _ = try mark(clip("a.mp4", seed: 0, seconds: 4), 0xA, "one.mp4")
    _ = try mark(clip("b.mp4", seed: 3, seconds: 4, more: ",hflip"), 0xB, "two.mp4")
    try ffmpeg(
      "-i", scratch.path + "/one.mp4", "-i", scratch.path + "/two.mp4", "-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]", "-map", "[v]",
      "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", scratch.path + "/both.mp4")
    let marks = try #require(try detect(["both.mp4"]).files.first).marks.sorted { $0.id < $1.id }
    #expect(marks.map(\.id) == ["000000000000000a", "000000000000000b"])
    let first = try #require(marks.first?.ranges.first)
    let second = try #require(marks.last?.ranges.first)
    #expect(first[0] == 0 && abs(first[1] - 4) <= 1.01 && abs(second[0] - 4) <= 1.01 && abs(second[1] - 8) <= 1.01)
  }

  @Test func tenBitsAndStillPicturesAreFound() throws {
    try ffmpeg(
      "-f", "lavfi", "-i", "mandelbrot=size=640x480:rate=15", "-frames:v", "1", "-vf", "format=rgb24", scratch.path + "/still.png")
    _ = try mark(scratch.path + "/still.png", 7, "still.mp4")
    #expect(try detect(["still.mp4"]).files.first?.marks.first?.id == "0000000000000007")
    try ffmpeg(
      "-i", scratch.path + "/still.mp4", "-pix_fmt", "yuv420p10le", "-c:v", "ffv1", scratch.path + "/deep.mkv")
    #expect(try detect(["deep.mkv"]).files.first?.marks.first?.id == "0000000000000007")
  }

  @Test func otherKeysFindNothing() throws {
    _ = try mark(clip("a.mp4", seed: 0), 5, "marked.mp4")
    try WatermarkKey.generate().create(at: scratch.path + "/other")
    let found = try #require(try detect(["marked.mp4"], key: "/other").files.first)
    #expect(found.marks.isEmpty && found.attempts > 0 && found.bestZ < 12.2)
  }

  @Test func aRenderedDocumentCarriesItsMark() throws {
    _ = try clip("a.mp4", seed: 0)
    let document =
      #"{"reel": 1, "canvas": {"width": 640, "height": 360, "frameRate": "15"}, "sequence": [{"media": "a.mp4"}], "watermark": {"id": "1000"}}"#
    var task = RenderTask(document: document, documentName: "ad.reel.json")
    task.outputExtension = "mp4"
    let files = LocalFiles(
      inputs: ["a.mp4": scratch.path + "/a.mp4", MarkRequest.defaultKeyName: scratch.path + "/key"],
      outputs: ["output": scratch.path + "/ad.mp4"])
    let refused = #expect(throws: MediaError.self) { try task.run(in: TaskContext(files: files)) }
    #expect(refused?.code == .usage)
    task.key = MarkRequest.defaultKeyName
    let again = LocalFiles(
      inputs: ["a.mp4": scratch.path + "/a.mp4", MarkRequest.defaultKeyName: scratch.path + "/key"],
      outputs: ["output": scratch.path + "/ad.mp4"])
    let report = try task.run(in: TaskContext(files: again))
    try again.publish("output", of: task, report: report)
    #expect(report.watermark?.id == "00000000000003e8")
    #expect(try detect(["ad.mp4"]).files.first?.marks.first?.id == "00000000000003e8")
    #expect(String(decoding: Tool.bytes(of: scratch.path + "/ad.mp4.sidecar.json"), as: UTF8.self).contains(key.id.description))
  }

  @Test func badInputIsTold() throws {
    try ffmpeg("-f", "lavfi", "-i", "sine=duration=1", scratch.path + "/sound.wav")
    let sound = try #require(try detect(["sound.wav"]).files.first)
    #expect(sound.error?.exitStatus == 65)
    let small = try clip("small.mp4", seed: 0, size: "80x60")
    #expect(try detect([small]).files.first?.error?.exitStatus == 64)
    let refused = #expect(throws: MediaError.self) { try mark(small, 5, "x.mp4") }
    #expect(refused?.code == .usage)
    chmod(scratch.path + "/key", 0o644)
    let open = #expect(throws: MediaError.self) { try detect([small]) }
    #expect(open?.code == .refused)
    let missing = #expect(throws: MediaError.self) { try mark(small, 5, "x.mp4", keyName: "/none") }
    #expect(missing?.code == .missing)
  }
}
