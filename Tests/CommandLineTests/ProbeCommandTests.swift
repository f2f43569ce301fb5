import Foundation
import TestSupport
import Testing

/// `reel probe` from the outside: what it says of files whose facts are known by how they were made.
@Suite("reel probe")
struct ProbeCommandTests {
  /// A JPEG of 64 x 48 with EXIF's orientation tag (EXIF 2.32, 0x0112).
  private func picture(_ scratch: Scratch, orientation: UInt8) throws -> String {
    let plain = scratch.path("plain.jpg")
    let made = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", plain])
    #expect(made.status == 0, "\(made.errors)")
    let directory: [UInt8] = [1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    let exif = Array("Exif\0\0II*\0".utf8) + [8, 0, 0, 0] + directory
    let segment = [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif
    let path = scratch.path("turned.jpg")
    let bytes = Tool.bytes(of: plain)
    try Data(bytes[..<2] + segment + bytes[2...]).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test(
    "EXIF turns a picture in probe as in frames",
    arguments: [(1, 0, false), (2, 0, true), (3, 180, false), (6, 90, false), (8, 270, false)])
  func orientation(tag: Int, rotation: Int, mirrored: Bool) throws {
    let scratch = try Scratch()
    let path = try picture(scratch, orientation: UInt8(tag))
    let files = try #require(try ReelProgram.json(try ReelProgram.run("probe", "--json", path))["files"] as? [[String: Any]])
    let video = try #require((files.first?["video"] as? [[String: Any]])?.first)
    #expect(video["width"] as? Int == 64 && video["height"] as? Int == 48)
    #expect(video["rotation"] as? Int == rotation && video["mirrored"] as? Bool == mirrored)
    let shown = [video["displayWidth"] as? Int, video["displayHeight"] as? Int]
    #expect(shown == (rotation % 180 == 0 ? [64, 48] : [48, 64]))
    try ReelProgram.run("frames", path, "--last", "-o", scratch.path("out"))
    let size = try Tool.lines(
      "ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", scratch.path("out/turned-0000.jpg"))[0]
    #expect(size == "\(shown[0] ?? 0),\(shown[1] ?? 0)")
  }

  @Test("an H.264 stream turns its pictures in probe as in encode")
  func displayOrientation() throws {
    let scratch = try Scratch()
    let path = scratch.path("turned.mp4")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-i", try scratch.clip("a.mp4"), "-an", "-c:v", "copy", "-bsf:v",
        "h264_metadata=display_orientation=insert:rotate=90", path,
      ])
    #expect(made.status == 0, "\(made.errors)")
    let files = try #require(try ReelProgram.json(try ReelProgram.run("probe", "--json", path))["files"] as? [[String: Any]])
    let video = try #require((files.first?["video"] as? [[String: Any]])?.first)
    #expect(video["displayWidth"] as? Int == 120 && video["displayHeight"] as? Int == 160)
    // H.264 states an anticlockwise angle.
    #expect(video["rotation"] as? Int == 270)
    try ReelProgram.run("encode", path, "-o", scratch.path("b.mp4"))
    let size = try Tool.lines(
      "ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", scratch.path("b.mp4"))[0]
    #expect(size == "120,160")
  }

  @Test("a name that is no UTF-8 is missing with the reason")
  func foreignName() throws {
    let scratch = try Scratch()
    try scratch.clip("a.mp4")
    let script = "f=$(printf 'b\\377.mp4') && cp a.mp4 \"$f\" && exec '\(ReelProgram.path)' probe \"$f\""
    let outcome = try Tool.run("sh", ["-c", "cd '\(scratch.folder)' && " + script])
    #expect(outcome.status == 66 && outcome.errors.contains("UTF-8"), "\(outcome.errors)")
  }
}
