import FFmpegBridge
import MediaCore
import Synchronization
import TestSupport
import Testing

@testable import FrameExtraction

/// Every selection against what the tools say.
@Suite struct SelectionTests {
  static func times(_ path: String, _ selection: FrameSelection) throws -> [Double] {
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let stream = try extractor.frames(FramesRequest(selection)) { frame throws(MediaError) in frame.actual.doubleValue }
    var result: [Double] = []
    while let next = try stream.next() { result.append(try next.output.get()) }
    return result
  }

  @Test("Every, uniform, last, range and indices")
  func regular() throws {
    let path = try MadeClip.h264()
    #expect(try Self.times(path, .every(MediaTime(Rational(1)))) == [0, 1, 2, 3])
    #expect(try Self.times(path, .uniform(count: 4)) == [0.5, 1.5, 2.5, 3.5])
    #expect(try Self.times(path, .last) == [119.0 / 30])
    let range = TimeRange(start: MediaTime(Rational(1)), end: MediaTime(Rational(6, 5)))
    #expect(try Self.times(path, .range(range)).map { ($0 * 30).rounded() } == [30, 31, 32, 33, 34, 35])
    #expect(try Self.times(path, .positions([.frame(119), .frame(45)])) == [1.5, 119.0 / 30])
  }

  @Test("Keyframes are those that ffprobe lists", arguments: ["pyramid.mp4", "open.mkv", "noindex.ts", "vp9.webm"])
  func keyframes(name: String) throws {
    let kind = try #require(MadeClip.kinds.first { $0.name == name })
    let path = try MadeClip.make(kind.name, kind.arguments)
    let listed = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", path
    ).filter { $0.contains(",K") }.compactMap { Double($0.prefix { $0 != "," }) }
    let first = try #require(listed.first)
    let found = try Self.times(path, .keyframes)
    #expect(found.count == listed.count)
    for (a, b) in zip(found, listed) { #expect(abs(a - (b - first)) < 0.001) }
  }

  @Test("Scene changes are those of FFmpeg's scene value")
  func scenes() throws {
    let path = try MadeClip.make(
      "scenes.mp4",
      [
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1", "-f", "lavfi", "-i",
        "color=c=white:size=320x180:rate=25:duration=1",
        "-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=25", "-filter_complex", "[2]trim=duration=1[m];[0][1][m]concat=n=3", "-c:v",
        "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p",
      ])
    let oracle = try Tool.lines(
      "ffprobe", "-v", "error", "-f", "lavfi", "-i", "movie=\(path),select='gt(scene,0.3)'", "-show_entries", "frame=pts_time", "-of",
      "csv=p=0"
    ).compactMap { Double($0.prefix { $0 != "," }) }
    #expect(try Self.times(path, .sceneChanges(threshold: 0.3)) == oracle)
    #expect(oracle == [1, 2])
    // Whoever waits hears of every frame that is looked at, not only of those found.
    let seen = Mutex<[Double]>([])
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let stream = try extractor.frames(
      FramesRequest(.sceneChanges(threshold: 0.3)), examined: { time in seen.withLock { $0.append(time.doubleValue) } },
      transform: { frame throws(MediaError) in frame.actual })
    while try stream.next() != nil {}
    let looked = seen.withLock { $0 }
    #expect(looked.count == (try Oracle.videoFrameCount(path)) && looked == looked.sorted())
  }

  @Test("The sharpest frame near a time is neither blurred nor black")
  func sharpest() throws {
    let path = try MadeClip.make(
      "blur.mp4",
      [
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=3", "-vf",
        "gblur=sigma=6:enable='not(eq(n,13))',drawbox=t=fill:c=black:enable='between(n,20,24)'", "-c:v", "libx264", "-preset", "veryfast",
        "-pix_fmt", "yuv420p",
      ])
    let window = MediaTime(Rational(1, 2))
    #expect(try Self.times(path, .sharpest([MediaTime(Rational(3, 2))], window: window)) == [1.3])
    let dark = try Self.times(path, .sharpest([MediaTime(Rational(11, 5))], window: window))
    #expect(dark.allSatisfy { $0 < 2 || $0 > 2.4 })
  }

  @Test("Times beyond the ends give the first and the last frame, flagged")
  func ends() throws {
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    let asked = [-1.0, 0, 3.99, 4.0, 100].map { TimePosition.time(MediaTime(seconds: $0)) } + [.frame(119), .frame(500)]
    let stream = try extractor.frames(FramesRequest(.positions(asked)))
    var placements = [FramePlacement?](repeating: nil, count: asked.count)
    while let result = try stream.next() { placements[result.index] = result.placement }
    #expect(placements == [.beforeStart, .inside, .inside, .beyondEnd, .beyondEnd, .inside, .beyondEnd])
  }

  @Test("Requests that cannot be are refused")
  func refusals() throws {
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    for selection in [
      FrameSelection.positions([]), .every(.zero), .every(MediaTime(Rational(-1))), .uniform(count: 0), .sceneChanges(threshold: 0),
      .positions([.frame(-1)]), .every(MediaTime(Rational(1, 1_000_000_000))),
    ] {
      #expect(throws: MediaError.self) { _ = try extractor.frames(FramesRequest(selection)) }
    }
  }

  @Test("A request may be given up early, and the extractor answers the next")
  func stopping() throws {
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    for round in 0..<5 {
      let stream = try extractor.frames(FramesRequest(.range(TimeRange()), workers: 2))
      for _ in 0..<round { _ = try stream.next() }
      stream.stop()
      let after = try stream.next()
      #expect(after == nil)
    }
    let (results, _) = try ExactFrameTests.hashes(extractor, FramesRequest(.last))
    #expect(results.count == 1)
  }
}
