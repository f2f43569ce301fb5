import Foundation
import TestSupport
import Testing

/// The example programs, run as a reader would run them.
@Suite("Samples")
struct SampleProgramTests {
  /// The folder of the built programs, that of the test bundle.
  private static let folder: String = {
    let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
  }()

  private func withClip(_ body: (String, String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "/reel-sample-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=25:duration=1", "-f", "lavfi", "-i",
        "sine=duration=1:sample_rate=48000",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", folder + "/in.mp4",
      ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    try body(folder + "/in.mp4", folder + "/out.mp4")
  }

  private func run(_ program: String, _ arguments: String...) throws -> Tool.Outcome {
    try Tool.run(SampleProgramTests.folder + "/" + program, arguments)
  }

  @Test("probe-file prints the streams")
  func probe() throws {
    try withClip { input, _ in
      let outcome = try run("probe-file", input)
      #expect(outcome.output == "h264 640x480, 25 frames\naac 48000 Hz, 1 channels\n", "\(outcome.errors)")
    }
  }

  @Test("encode-ten-lines fits the picture into 240 lines")
  func encode() throws {
    try withClip { input, output in
      let outcome = try run("encode-ten-lines", input, output)
      #expect(outcome.output == "25 frames\n", "\(outcome.errors)")
      let size = try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", output)
      #expect(size[0] == "320x240" || size[0] == "320,240")
    }
  }

  @Test("custom-stage turns the brightness around, in at most 30 lines")
  func stage() throws {
    try withClip { input, output in
      let outcome = try run("custom-stage", input, output)
      #expect(outcome.output == "25 frames\n", "\(outcome.errors)")
      #expect(abs(try brightness(input) + brightness(output) - 255) < 3)
    }
    let source = try String(
      contentsOfFile: #filePath.replacing("Tests/SampleTests/SampleProgramTests.swift", with: "Samples/Programs/custom-stage/main.swift"),
      encoding: .utf8)
    #expect(source.split(separator: "\n").count <= 30)
  }

  @Test("render-async renders a document while the program goes on")
  func render() throws {
    try withClip { input, output in
      let document = (input as NSString).deletingLastPathComponent + "/ad.reel.json"
      let text = """
        {"reel": 1, "canvas": {"width": 320, "height": 240, "frameRate": "25"},
         "variables": {"headline": {"type": "text", "default": "none"}},
         "sequence": [{"media": "in.mp4", "trim": ["0s", "0.8s"]}],
         "overlays": [{"text": "{{headline}}", "from": "0s", "to": "0.4s"}]}
        """
      try text.write(toFile: document, atomically: true, encoding: .utf8)
      let outcome = try run("render-async", document, output)
      #expect(outcome.output.hasSuffix("20 frames\n"), "\(outcome.output) \(outcome.errors)")
      #expect(try Oracle.videoFrameCount(output) == 20)
    }
  }

  /// Mean luma of the first frame, 0...255, by FFmpeg's own measurement.
  private func brightness(_ path: String) throws -> Double {
    let lines = try Tool.lines(
      "ffprobe", "-v", "error", "-f", "lavfi", "movie=\(path),signalstats", "-show_entries", "frame_tags=lavfi.signalstats.YAVG", "-of",
      "csv=p=0",
      "-read_intervals", "%+#1")
    return try #require(Double(lines[0]))
  }
}
