import FFmpegBridge
import FrameExtraction
import Glibc
import MediaCore
import TestBasics
import TestSupport
import Testing

/// Random times on every decodable video of the media pack against `ffmpeg -f framemd5`.
@Suite struct ExactnessSweepTests {
  static let clips = getenv("REELWRIGHT_CLIPS").map { String(cString: $0) }

  /// Every file of the pack's folders whose pictures the oracle can decode without a complaint.
  static let files: [String] = {
    guard let folder = MediaPack.folder else { return [] }
    var result: [String] = []
    for line in String(decoding: Tool.bytes(of: folder + "/MANIFEST.tsv"), as: UTF8.self).split(separator: "\n").dropFirst() {
      let name = String(line.prefix { $0 != "\t" })
      if !name.hasPrefix("corrupt/") && line.contains("v:") && !name.hasPrefix("images/") && !name.hasPrefix("audio/") {
        result.append(folder + "/" + name)
      }
    }
    if let clips { result += ["vfr.mp4", "cut.mp4", "k4.mp4"].map { clips + "/" + $0 } }
    return result
  }()

  static var pairsPerFile: Int { getenv("REELWRIGHT_PAIRS").flatMap { Int(String(cString: $0)) } ?? 150 }

  struct Outcome {
    var pairs = 0
    var wrong: [String] = []
    var counters = ExtractionCounters()
  }

  static func sweep(_ path: String, pairs: Int, seed: UInt64) throws -> Outcome? {
    let oracle = try FrameOracle(path)
    guard oracle.frames.count > 0 else { return nil }
    var generator = SplitMix(state: seed)
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let end = (oracle.time(oracle.frames.count - 1) - extractor.startTime).doubleValue
    var outcome = Outcome()
    while outcome.pairs < pairs {
      let batch = [1, 2, 5, 20, 60][Int(generator.next() % 5)]
      var times: [MediaTime] = []
      var places: [Int] = []
      for _ in 0..<(batch * 3) where times.count < batch {
        let seconds = -0.2 + Double(generator.next() % 1_000_003) / 1_000_003 * (end + 0.7)
        let time = MediaTime(seconds: seconds)
        guard let place = oracle.place(at: time, start: extractor.startTime), !oracle.isAmbiguous(place) else { continue }
        times.append(time)
        places.append(place)
      }
      guard !times.isEmpty else { break }
      let workers = [1, 2, 4][Int(generator.next() % 3)]
      let stream = try extractor.frames(FramesRequest(.positions(times.map { .time($0) }), workers: workers)) { frame throws(MediaError) in
        md5(frame.frame)
      }
      var delivered = 0
      while let result = try stream.next() {
        delivered += 1
        let expected = oracle.frames[places[result.index]].md5
        switch result.output {
        case .success(let hash) where hash == expected: break
        case .success:
          outcome.wrong.append(
            "\(path) at \(times[result.index].doubleValue): got \(result.actual?.doubleValue ?? -1), expected \(oracle.time(places[result.index]).doubleValue)"
          )
        case .failure(let error): outcome.wrong.append("\(path) at \(times[result.index].doubleValue): \(error)")
        }
      }
      if delivered != times.count { outcome.wrong.append("\(path): \(delivered) of \(times.count) delivered") }
      outcome.pairs += times.count
      let c = stream.counters
      outcome.counters.packetsDecoded += c.packetsDecoded
      outcome.counters.packetsRead += c.packetsRead
      outcome.counters.retries += c.retries
    }
    return outcome
  }

  @Test(
    "Random times over the whole pack give the oracle's frames",
    .enabled(if: MediaPack.isPresent && MediaPack.isSlowRun, "needs the media pack and REELWRIGHT_SLOW=1"))
  func wholePack() throws {
    var pairs = 0
    var files = 0
    for (place, path) in Self.files.enumerated() {
      if let filter = getenv("REELWRIGHT_FILTER"), !path.contains(String(cString: filter)) { continue }
      do {
        guard let outcome = try Self.sweep(path, pairs: Self.pairsPerFile, seed: UInt64(place + 1)) else { continue }
        pairs += outcome.pairs
        files += 1
        #expect(outcome.wrong.isEmpty, "\(outcome.wrong.count) wrong: \(outcome.wrong.prefix(3))")
        if getenv("REELWRIGHT_VERBOSE") != nil {
          print(
            "\(path): \(outcome.pairs) pairs, \(outcome.wrong.count) wrong, read \(outcome.counters.packetsRead), decoded \(outcome.counters.packetsDecoded), retries \(outcome.counters.retries)"
          )
        }
      } catch {
        Issue.record("\(path): \(error)")
      }
    }
    print("\(pairs) pairs over \(files) files")
    if getenv("REELWRIGHT_FILTER") == nil { #expect(pairs >= 10_000) }
  }
}
