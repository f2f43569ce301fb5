import FFmpegBridge
import Glibc
import MediaCore
import TestBasics
import TestSupport
import Testing

@testable import FrameExtraction

/// What goes wrong stays where it belongs.
@Suite struct BadInputTests {
  @Test("Sound without a picture is refused with a clear reason")
  func audioOnly() throws {
    let path = try MadeClip.make("sound.m4a", ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"])
    do {
      _ = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
      Issue.record("no error")
    } catch {
      #expect(error.code == .damaged)
      #expect(error.reason.contains("no video"))
    }
  }

  /// The clip with the bytes of the second group of pictures, but for its keyframe, overwritten.
  static func corrupted() throws -> (path: String, good: String) {
    let good = try MadeClip.h264()
    let path = MadeClip.folder + "/corrupt-\(getpid()).mp4"
    var bytes = Tool.bytes(of: good)
    let lines = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size,pts_time,flags", "-of", "compact=p=0:nk=1", good
    )
    var noise = SplitMix(state: 5)
    for line in lines {
      let fields = line.split(separator: "|")
      guard fields.count >= 4, let time = Double(fields[0]), let size = Int(fields[1]), let position = Int(fields[2]) else { continue }
      if time > 1.01 && time < 1.99 && !fields[3].contains("K") {
        for i in (position + 5)..<(position + size) { bytes[i] = UInt8(truncatingIfNeeded: noise.next()) }
      }
    }
    try PictureTests.write(bytes, to: path)
    return (path, good)
  }

  @Test("Frames of a damaged group become errors of their own; all others are delivered and right")
  func corruptGroup() throws {
    let (path, good) = try Self.corrupted()
    let oracle = try FrameOracle(good)
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let places = [3, 20, 40, 50, 70, 100]
    let asked = places.map { TimePosition.time(oracle.time($0) - extractor.startTime) }
    let (results, counters) = try ExactFrameTests.hashes(extractor, FramesRequest(.positions(asked), workers: 2))
    #expect(results.count == places.count)
    for result in results {
      let place = places[result.index]
      switch result.output {
      case .success(let hash):
        #expect(place < 30 || place >= 60, "frame \(place) is damaged but was delivered")
        #expect(hash == oracle.frames[place].md5)
      case .failure(let error):
        #expect(place >= 30 && place < 60, "frame \(place): \(error)")
        #expect(error.code == .damaged)
      }
    }
    #expect(counters.retries >= 1)
    let lenient = try ExactFrameTests.hashes(extractor, FramesRequest(.positions(asked), allowsDamagedFrames: true))
    #expect(lenient.results.filter { (try? $0.output.get()) != nil }.count >= 4)
  }

  @Test("A truncated file gives the frames that are there")
  func truncated() throws {
    let good = try MadeClip.make("noindex.ts", MadeClip.kinds[2].arguments)
    let path = MadeClip.folder + "/truncated-\(getpid()).ts"
    let bytes = Tool.bytes(of: good)
    try PictureTests.write(Array(bytes[..<(bytes.count / 2)]), to: path)
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let (results, _) = try ExactFrameTests.hashes(
      extractor, FramesRequest(.positions([.time(MediaTime(Rational(1, 2))), .time(MediaTime(Rational(39, 10)))])))
    #expect(results.count == 2)
    #expect((try? results[0].output.get()) != nil)
  }

  @Test("An image is a video of one frame")
  func image() throws {
    let path = try MadeClip.make("still.png", ["-f", "lavfi", "-i", "testsrc2=size=64x48:duration=0.04", "-frames:v", "1"])
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    for selection in [FrameSelection.positions([.time(.zero)]), .last, .keyframes, .uniform(count: 1), .range(TimeRange())] {
      let (results, _) = try ExactFrameTests.hashes(extractor, FramesRequest(selection))
      #expect(results.compactMap { try? $0.output.get() }.count == 1, "\(selection)")
    }
  }

  @Test("Cancelling ends a request with an error")
  func cancelled() throws {
    let environment = MediaEnvironment()
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: environment)
    let stream = try extractor.frames(FramesRequest(.range(TimeRange())))
    _ = try stream.next()
    environment.cancellation.cancel()
    #expect(throws: MediaError.self) { while try stream.next() != nil {} }
  }

  // Alone in its process: other suites allocate too.
  @Test("Memory does not grow with the number of requests", .enabled(if: getenv("REELWRIGHT_LONG") != nil, "needs REELWRIGHT_LONG=1"))
  func flatMemory() throws {
    func residentKilobytes() -> Int {
      let fields = String(decoding: Tool.bytes(of: "/proc/self/statm"), as: UTF8.self).split(separator: " ")
      return (Int(fields[1]) ?? 0) * 4
    }
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    var noise = SplitMix(state: 8)
    func ask(_ count: Int) throws {
      for _ in 0..<count {
        let time = MediaTime(seconds: Double(noise.next() % 4000) / 1000)
        let stream = try extractor.frames(FramesRequest(.positions([.time(time)]), tolerance: .keyframe)) { frame throws(MediaError) in
          frame.frame.size
        }
        while try stream.next() != nil {}
      }
    }
    let rounds = 5000
    try ask(rounds)
    let before = residentKilobytes()
    try ask(rounds)
    // A leaked frame a request would be 430 MB, a leaked packet more than 20 MB.
    #expect(residentKilobytes() - before < 12_000)
  }
}
