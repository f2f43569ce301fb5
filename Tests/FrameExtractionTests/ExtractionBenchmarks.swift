import FFmpegBridge
import FrameExtraction
import Glibc
import MediaCore
import TestSupport
import Testing

/// CPU figures against the `ffmpeg` tool; printed, not asserted. See also Benchmarks/frames_vs_peers.py.
@Suite(
  .serialized,
  .enabled(if: getenv("REELWRIGHT_BENCH") != nil && ExactnessSweepTests.clips != nil, "needs REELWRIGHT_BENCH and REELWRIGHT_CLIPS"))
struct ExtractionBenchmarks {
  static func seconds(_ who: __rusage_who = RUSAGE_SELF) -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(who.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }

  static func tool(_ arguments: String...) throws -> Double {
    let before = seconds(RUSAGE_CHILDREN)
    _ = try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-y"] + arguments)
    return seconds(RUSAGE_CHILDREN) - before
  }

  static var clip: String { (ExactnessSweepTests.clips ?? "") + "/long60.mp4" }

  static func all<Output: Sendable>(
    _ workers: Int, _ transform: @escaping @Sendable (ExtractedFrame) throws(MediaError) -> Output
  ) throws -> (cpu: Double, count: Int) {
    let before = seconds()
    let extractor = try FrameExtractor(try openInput(clip), environment: MediaEnvironment())
    let stream = try extractor.frames(FramesRequest(.range(TimeRange()), workers: workers), transform: transform)
    var count = 0
    while try stream.next() != nil { count += 1 }
    return (seconds() - before, count)
  }

  @Test("Sequential RGB against ffmpeg -f null")
  func sequential() throws {
    let converter = PictureConverter(.rgb)
    for workers in [1, 2] {
      let plain = try Self.all(workers) { _ throws(MediaError) in 0 }
      let rgb = try Self.all(workers) { frame throws(MediaError) in try converter.convert(frame.frame).size.width }
      let null = try Self.tool("-threads", "\(workers)", "-i", Self.clip, "-f", "null", "-")
      let nullRGB = try Self.tool("-threads", "\(workers)", "-i", Self.clip, "-pix_fmt", "rgb24", "-f", "null", "-")
      print(
        "\(workers) workers: decode \(plain.cpu), RGB \(rgb.cpu) of \(rgb.count) frames; ffmpeg -f null \(null), with rgb24 \(nullRGB); ratio \(rgb.cpu / null)"
      )
    }
  }

  @Test("1080p JPEGs against yuvj420p and mjpeg")
  func jpeg() throws {
    let converter = PictureConverter(.jfif)
    let writer = ImageWriter(.jpg, quality: 85)
    let plain = try Self.all(1) { _ throws(MediaError) in 0 }
    let files = try Self.all(1) { frame throws(MediaError) in try writer.encode(try converter.convert(frame.frame)).count }
    let null = try Self.tool("-threads", "1", "-i", Self.clip, "-f", "null", "-")
    let mjpeg = try Self.tool(
      "-threads", "1", "-i", Self.clip, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-threads", "1", "-q:v", "3", "-f", "null", "-")
    let ours = (files.cpu - plain.cpu) / Double(files.count)
    let theirs = (mjpeg - null) / Double(files.count)
    print("convert and encode a frame: \(ours * 1000) ms, ffmpeg \(theirs * 1000) ms, ratio \(ours / theirs)")
  }
}
