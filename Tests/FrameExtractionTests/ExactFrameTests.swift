import FFmpegBridge
import Glibc
import MediaCore
import TestBasics
import TestSupport
import Testing

@testable import FrameExtraction

/// Exact frames of small clips of many kinds, against the oracle.
@Suite struct ExactFrameTests {
  static func hashes(
    _ extractor: FrameExtractor, _ request: FramesRequest
  ) throws -> (results: [FrameResult<String>], counters: ExtractionCounters) {
    let stream = try extractor.frames(request) { frame throws(MediaError) in md5(frame.frame) }
    var results: [FrameResult<String>] = []
    while let result = try stream.next() { results.append(result) }
    return (results, stream.counters)
  }

  @Test("Every frame by its middle, alone and in batches, with 1, 2 and 4 workers", arguments: MadeClip.kinds.indices)
  func kinds(place: Int) throws {
    let kind = MadeClip.kinds[place]
    let path = try MadeClip.make(kind.name, kind.arguments)
    let oracle = try FrameOracle(path)
    try #require(oracle.frames.count >= 1)
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    // The middle of every frame's time.
    let times = oracle.frames.indices.map { i in
      let next = i + 1 < oracle.frames.count ? oracle.time(i + 1) : oracle.time(i) + MediaTime(Rational(1, 60))
      return (oracle.time(i) + next) / Rational(2) - extractor.startTime
    }
    for (step, workers) in [(1, 1), (7, 2), (13, 4), (40, 1)] {
      let wanted = Array(stride(from: 0, to: times.count, by: step))
      let (results, counters) = try Self.hashes(extractor, FramesRequest(.positions(wanted.map { .time(times[$0]) }), workers: workers))
      #expect(results.count == wanted.count)
      for result in results {
        let expected = oracle.frames[wanted[result.index]]
        #expect((try? result.output.get()) == expected.md5, "\(kind.name) frame \(wanted[result.index]) with \(workers) workers: \(result)")
      }
      #expect(counters.framesOutput == wanted.count)
      #expect(counters.packetsDecoded <= counters.packetsRead)
    }
    for i in stride(from: 0, to: times.count, by: 17) {
      let (results, _) = try Self.hashes(extractor, FramesRequest(.positions([.time(times[i])])))
      #expect((try? results[0].output.get()) == oracle.frames[i].md5, "\(kind.name) frame \(i) alone")
    }
  }

  @Test("A stream-copied cut with an edit list starts where the edit list says")
  func cut() throws {
    let path = try MadeClip.make("cut.mp4", ["-ss", "1.37", "-i", try MadeClip.h264(), "-t", "2", "-c", "copy"])
    let oracle = try FrameOracle(path)
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let (results, _) = try Self.hashes(
      extractor, FramesRequest(.positions([.frame(0), .time(.zero), .frame(9), .frame(oracle.frames.count - 1)])))
    for result in results {
      let place = [0, 0, 9, oracle.frames.count - 1][result.index]
      #expect((try? result.output.get()) == oracle.frames[place].md5)
    }
  }

  @Test("Pictures that nobody refers to are left out", arguments: ["pyramid.mp4", "hevc.mp4"])
  func skipsDisposable(name: String) throws {
    let kind = try #require(MadeClip.kinds.first { $0.name == name })
    let extractor = try FrameExtractor(try openInput(try MadeClip.make(kind.name, kind.arguments)), environment: MediaEnvironment())
    let (results, counters) = try Self.hashes(extractor, FramesRequest(.positions([.time(MediaTime(Rational(9, 10)))])))
    #expect(results.count == 1)
    // 28 pictures are shown up to the target; at least a third of them are not referred to.
    #expect(counters.packetsDecoded <= 20)
    #expect(counters.packetsSkipped >= 8)
    #expect(counters.retries == 0)
  }

  @Test("Each group of pictures is decoded once, however the times are ordered")
  func groupsOnce() throws {
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    let times = [3.5, 0.2, 3.1, 1.9, 0.9, 0.2, 1.1].map { TimePosition.time(MediaTime(seconds: $0)) }
    let (results, counters) = try Self.hashes(extractor, FramesRequest(.positions(times), workers: 2))
    #expect(results.map(\.index).sorted() == Array(0..<7))
    #expect(counters.gops == 3)
    #expect(counters.packetsDecoded <= 90)
  }

  @Test(
    "Ten random frames of the long clip cost at most 400 packets", .enabled(if: ExactnessSweepTests.clips != nil, "needs REELWRIGHT_CLIPS"))
  func countGate() throws {
    let path = (ExactnessSweepTests.clips ?? "") + "/long60.mp4"
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    // A draw of average cost: 483 pictures from the keyframes to the targets; the mean of 2000 draws is 485.
    var generator = SplitMix(state: 6)
    let times = (0..<10).map { _ in TimePosition.time(MediaTime(seconds: Double(generator.next() % 60_000) / 1000)) }
    let (results, counters) = try Self.hashes(extractor, FramesRequest(.positions(times)))
    #expect(results.count == 10)
    #expect(counters.packetsDecoded <= 400, "\(counters)")
    if getenv("REELWRIGHT_VERBOSE") != nil { print(counters) }
  }

  @Test("Keyframe tolerance gives keyframes and decodes one packet each; a small tolerance only where one is near")
  func tolerance() throws {
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    let times = [0.5, 1.9, 3.02].map { TimePosition.time(MediaTime(seconds: $0)) }
    var (results, counters) = try Self.hashes(extractor, FramesRequest(.positions(times), tolerance: .keyframe))
    #expect(results.compactMap { $0.actual?.doubleValue } == [0, 1, 3])
    #expect(counters.packetsDecoded == 3)
    (results, counters) = try Self.hashes(extractor, FramesRequest(.positions(times), tolerance: .within(MediaTime(Rational(1, 5)))))
    #expect(results.compactMap { $0.actual?.doubleValue } == [0.5, 2, 3])
  }

  @Test("Workers do not change results")
  func workers() throws {
    let path = try MadeClip.h264()
    let times = (0..<60).map { TimePosition.time(MediaTime(seconds: Double($0) * 0.066)) }
    let one = try Self.hashes(
      try FrameExtractor(try openInput(path), environment: MediaEnvironment()), FramesRequest(.positions(times), workers: 1))
    for workers in [2, 4] {
      let other = try Self.hashes(
        try FrameExtractor(try openInput(path), environment: MediaEnvironment()), FramesRequest(.positions(times), workers: workers))
      #expect(one.results.map { try? $0.output.get() } == other.results.map { try? $0.output.get() })
      #expect(one.results.map(\.index) == other.results.map(\.index))
    }
  }
}
