import Foundation
import TestSupport

/// A folder for one test, gone with it, with small inputs made by FFmpeg's own tool.
final class Scratch {
  let folder: String

  init() throws {
    let base = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("reel-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    folder = base.path
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { folder + "/" + name }
  func exists(_ name: String) -> Bool { (try? FileManager.default.attributesOfItem(atPath: path(name))) != nil }

  /// Everything in the folder, hidden files too.
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  /// A clip of moving test patterns with a tone, H.264 and AAC, made by the `ffmpeg` tool.
  @discardableResult
  func clip(_ name: String, seconds: Double = 1, size: String = "160x120", rate: Int = 25) throws -> String {
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=\(rate):duration=\(seconds)", "-f", "lavfi", "-i",
        "sine=frequency=440:sample_rate=48000:duration=\(seconds)", "-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-pix_fmt",
        "yuv420p",
        "-threads", "1", "-c:a", "aac", path(name),
      ])
    guard outcome.status == 0 else { throw Tool.Failure(description: outcome.errors) }
    return path(name)
  }
}
