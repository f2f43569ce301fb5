import Encoding
import FFmpegBridge
import FileAccess
import MediaCore
import Pipeline
import TestSupport
import Testing

/// Frames come from pools that stop growing once everyone who waits holds one.
@Suite struct FrameMemoryTests {
  @Test func scalingAllocatesNothingInSteadyState() throws {
    let scratch = try ScratchFolder()
    let path = scratch.path + "/in.mp4"
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=50:duration=8", "-c:v", "libx264", "-preset",
        "ultrafast", "-pix_fmt", "yuv420p", path,
      ])
    try #require(made.status == 0, "\(made.errors)")
    let environment = MediaEnvironment()
    let decoded = Queue(upstream: try VideoDecodeSource(try LocalFiles.openInput(path: path), environment: environment))
    var format = PictureFormat()
    format.size = FrameSize(320, 180)
    let conformer = PictureConformer(format, environment: environment)
    let conformed = decoded.through(conformer)
    // As a queue behind it would: the last four are held.
    var held: [VideoFrame] = []
    var count = 0
    while let frame = try conformed.next() {
      count += 1
      held.append(frame)
      if held.count > 4 { held.removeFirst() }
      #expect(conformer.allocations <= 6, "frame \(count)")
    }
    #expect(count == 400)
    decoded.stop()
  }
}
