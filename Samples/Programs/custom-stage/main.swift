// custom-stage IN OUT: a stage of one's own between decoder and encoder; this one mirrors the brightness.
import Reelwright

let arguments = CommandLine.arguments
let files = LocalFiles(inputs: ["input": arguments[1]], outputs: ["output": arguments[2]])
let environment = MediaEnvironment()
let source = try VideoDecodeSource(try files.openInput("input"), environment: environment)
let pool = try FramePool(size: source.stream.size, format: source.stream.pixelFormat ?? .yuv420p)

let negative = MapStage<VideoFrame, VideoFrame> { (frame) throws(MediaError) in
  var copy = try pool.copy(of: frame)
  for y in 0..<frame.size.height {
    copy.withRow(y, ofPlane: 0) { row in
      for x in row.indices { row[x] = 255 &- row[x] }
    }
  }
  return copy.freeze(time: frame.time, duration: frame.duration, color: frame.color)
}

let settings = try OutputSettings(preset: try EncodePreset.named("draft"), outputExtension: "mp4")
let writer = MediaWriter(settings: settings, environment: environment, ledger: Ledger())
let summary = try writer.write(video: source.through(negative), audio: nil, to: try files.createOutput("output"))
try files.publish("output", sidecar: nil)
print("\(summary.frames) frames")
