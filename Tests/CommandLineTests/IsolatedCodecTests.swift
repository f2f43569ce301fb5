import TestSupport
import Testing

/// Every codec in a sealed worker: encoders probe the machine in ways of their own.
@Suite("Codecs in the worker")
struct IsolatedCodecTests {
  @Test("encodes, with the same bytes as in this process", arguments: ["h264", "hevc", "vp9", "av1", "prores", "ffv1"])
  func encodes(_ codec: String) throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("clip.mp4")
    let name = codec == "prores" ? "out.mov" : "out.mkv"
    var bytes: [[UInt8]] = []
    for isolation in ["process", "none"] {
      let outcome = try ReelProgram.run(
        "encode", clip, "-o", scratch.path(name), "--codec", codec, "--speed", "ultrafast", "--threads", "1", "--isolation", isolation,
        "--overwrite")
      // SVT-AV1 speaks up on standard error by itself.
      #expect(outcome.status == 0 && (outcome.errors == "" || codec == "av1"), "\(outcome.errors)")
      bytes.append(Tool.bytes(of: scratch.path(name)))
    }
    #expect(!bytes[0].isEmpty && bytes[0] == bytes[1])
    #expect(try Oracle.videoFrameCount(scratch.path(name)) == 25)
  }
}
