import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing
import Watermark

/// Outputs that are named like pictures are pictures; FFmpeg and ImageMagick judge them.
@Suite struct PictureOutputTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func rgb(_ path: String) throws -> [UInt8] {
    let raw = scratch.path + "/raw.rgb"
    try Tool.succeed(
      "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-vf", "scale=sws_flags=accurate_rnd+full_chroma_int", "-f", "rawvideo",
      "-pix_fmt", "rgb24", raw)
    return Tool.bytes(of: raw)
  }

  @discardableResult
  private func encode(_ source: String, _ name: String, _ change: (inout EncodeTask) -> Void = { _ in }) throws -> TaskReport {
    var task = EncodeTask()
    task.outputExtension = name.split(separator: ".").last.map(String.init)
    change(&task)
    let files = LocalFiles(
      inputs: ["input": source, MarkRequest.defaultKeyName: scratch.path + "/key"], outputs: ["output": scratch.path + "/" + name])
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    return report
  }

  private func photo() throws -> String {
    let path = scratch.path + "/photo.jpg"
    try Tool.succeed(
      "ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "mandelbrot=size=641x480", "-frames:v", "1", "-pix_fmt", "yuvj444p",
      "-q:v", "2", path)
    return path
  }

  @Test(arguments: ["jpg", "jpeg", "png", "webp"]) func aPhotoStaysOne(_ kind: String) throws {
    let photo = try photo()
    let report = try encode(photo, "out." + kind)
    let output = report.outputs[0]
    #expect(output.width == 641 && output.height == 480 && output.frames == 1 && output.videoCodec == (kind == "jpeg" ? "jpg" : kind))
    let bytes = Tool.bytes(of: scratch.path + "/out." + kind)
    let starts: [String: [UInt8]] = ["png": [0x89, 0x50], "webp": Array("RIFF".utf8)]
    #expect(bytes.starts(with: starts[kind] ?? [0xFF, 0xD8]) && bytes.count == output.bytes)
    #expect(try Tool.meanError(rgb(scratch.path + "/out." + kind), rgb(photo)) < (kind == "png" ? 1 : 4))
  }

  @Test func transparencyAndOrientationAreKept() throws {
    try Tool.succeed("convert", "-size", "60x40", "xc:rgba(200,30,60,0.25)", scratch.path + "/alpha.png")
    try encode(scratch.path + "/alpha.png", "out.png")
    let size = try Tool.run("identify", ["-format", "%[channels] %[pixel:p{5,5}]", scratch.path + "/out.png"])
    #expect(size.output.contains("srgba") && size.output.contains("0.25"), "\(size.output)")
    try encode(scratch.path + "/alpha.png", "half.png") { $0.bounds = FrameSize(30, 0) }
    #expect(try Tool.run("identify", ["-format", "%wx%h", scratch.path + "/half.png"]).output == "30x20")
  }

  @Test(arguments: ["jpg", "png", "webp"]) func aMarkedPhotoIsFoundAgain(_ kind: String) throws {
    try WatermarkKey.generate().create(at: scratch.path + "/key")
    let photo = try photo()
    let report = try encode(photo, "marked." + kind) { $0.watermark = MarkRequest(id: WatermarkID(7)) }
    #expect(report.watermark?.id == "0000000000000007")
    #expect(report.warnings == [])
    let weak = try encode(photo, "weak." + kind) { $0.watermark = MarkRequest(id: WatermarkID(7), meanPSNR: 80) }
    #expect(weak.warnings.contains { $0.contains("weak") }, "\(String(describing: weak.watermark))")
    let inputs = [MarkRequest.defaultKeyName: scratch.path + "/key", "a": scratch.path + "/marked." + kind, "b": photo]
    let found = try DetectTask(inputs: ["a", "b"]).run(in: TaskContext(files: LocalFiles(inputs: inputs)))
    #expect(found.files.map { $0.marks.map(\.id) } == [["0000000000000007"], []])
  }

  @Test func whatIsNoSinglePictureIsRefused() throws {
    let clip = scratch.path + "/clip.mp4"
    try Tool.succeed("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=1", clip)
    try Tool.succeed("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=0.2", scratch.path + "/tone.wav")
    let photo = try photo()
    func refusal(_ source: String, _ name: String, _ change: (inout EncodeTask) -> Void = { _ in }) -> MediaError? {
      let error = #expect(throws: MediaError.self) { try encode(source, name, change) }
      #expect(access(scratch.path + "/" + name, F_OK) != 0)
      return error
    }
    #expect(refusal(clip, "a.png")?.reason.contains("more than one picture") == true)
    #expect(refusal(scratch.path + "/tone.wav", "a.jpg")?.code.exitStatus == 65)
    #expect(refusal(photo, "a.jpg") { $0.crf = 20 }?.reason == "--crf is for videos")
    for name in ["a.gif", "a.txt", "a.avi"] {
      let error = refusal(clip, name)
      #expect(error?.code.exitStatus == 64 && error?.advice?.contains(".mp4") == true, "\(String(describing: error))")
    }
  }
}
