import FFmpegBridge
import FileAccess
import FrameExtraction
import Glibc
import MediaCore

// frames-in-process WORK OUTPUT WORKERS REPEAT SIZE FILE [TIME…]: does the same extraction REPEAT times, each with a new
// extractor, and prints CPU and wall seconds of one repetition as JSON. The first, unmeasured run fills the caches.
//   WORK    exact, keyframe (at the times), all (every frame)
//   OUTPUT  none, rgb (interleaved 8-bit), jpeg (85)
//   SIZE    WxH to fit inside, 0x0: as stored
struct Work {
  let output: String
  let bounds: FrameSize
  let request: FramesRequest
  let path: String

  func run() throws(MediaError) -> (frames: Int, bytes: Int, counters: ExtractionCounters) {
    let extractor = try FrameExtractor(try LocalFiles.openInput(path: path), environment: MediaEnvironment())
    let converter = PictureConverter(output == "jpeg" ? .jfif : .rgb, bounds: bounds)
    let writer = ImageWriter(.jpg, quality: 85)
    let output = output
    let stream = try extractor.frames(request) { item throws(MediaError) -> Int in
      if output == "none" { return 0 }
      let picture = try converter.convert(item.frame)
      return output == "jpeg" ? try writer.encode(picture).count : Int(picture.size.pixels) * 3
    }
    var frames = 0
    var bytes = 0
    while let result = try stream.next() {
      bytes += try result.output.get()
      frames += 1
    }
    return (frames, bytes, stream.counters)
  }
}

func usedTime() -> (cpu: Double, wall: Double) {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  let cpu =
    Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  return (cpu, Double(now.tv_sec) + Double(now.tv_nsec) / 1e9)
}

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count >= 6, let workers = Int(arguments[3]), let count = Int(arguments[4]), count > 0 else {
  print("usage: frames-in-process exact|keyframe|all none|rgb|jpeg WORKERS REPEAT WxH FILE [TIME…]")
  exit(64)
}
let sides = arguments[5].split(separator: "x").compactMap { Int($0) }
let times = arguments.dropFirst(6).compactMap(Double.init).map { TimePosition.time(MediaTime(seconds: $0)) }
let work = Work(
  output: arguments[2], bounds: sides.count == 2 ? FrameSize(sides[0], sides[1]) : FrameSize(0, 0),
  request: FramesRequest(
    arguments[1] == "all" ? .range(TimeRange()) : .positions(times), tolerance: arguments[1] == "keyframe" ? .keyframe : .exact,
    workers: workers), path: arguments[6])
do {
  var result = try work.run()
  let start = usedTime()
  for _ in 0..<count { result = try work.run() }
  let end = usedTime()
  let c = result.counters
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  print(
    """
    {"cpuSeconds":\((end.cpu - start.cpu) / Double(count)),"wallSeconds":\((end.wall - start.wall) / Double(count)),\
    "peakMebibytes":\(Double(usage.ru_maxrss) / 1024),"frames":\(result.frames),"bytes":\(result.bytes),\
    "packetsRead":\(c.packetsRead),"packetsDecoded":\(c.packetsDecoded),"packetsSkipped":\(c.packetsSkipped),"seeks":\(c.seeks),\
    "gops":\(c.gops),"bytesRead":\(c.bytesRead)}
    """)
} catch {
  print("frames-in-process: \(error)")
  exit(74)
}
