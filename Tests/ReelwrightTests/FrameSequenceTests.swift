import Glibc
import Reelwright
import Synchronization
import TestSupport
import Testing

/// Frames for asynchronous code: order, backpressure, bounded memory, cancellation.
@Suite("Frame sequences", .serialized)
struct FrameSequenceTests {
  /// Counts objects that live at the same time.
  final class Census: Sendable {
    private let counts = Mutex((made: 0, living: 0, most: 0))

    var made: Int { counts.withLock { $0.made } }
    var living: Int { counts.withLock { $0.living } }
    var most: Int { counts.withLock { $0.most } }

    func add() {
      counts.withLock {
        $0.made += 1
        $0.living += 1
        $0.most = max($0.most, $0.living)
      }
    }

    func remove() { counts.withLock { $0.living -= 1 } }
  }

  /// A result that is missed by the census once nobody holds it.
  final class Tracked: Sendable {
    let time: MediaTime
    private let census: Census

    init(_ time: MediaTime, _ census: Census) {
      self.time = time
      self.census = census
      census.add()
    }

    deinit { census.remove() }
  }

  static let frameCount = 240
  /// Of two workers eight results each wait for the consumer, and one more where it is; each worker holds another in its hands.
  static let ahead = 2 * 8 + 1 + 2

  /// 240 frames, a keyframe every 20, so that several decoders have work.
  static func clip(_ folder: ScratchFolder) throws -> String {
    let path = folder.path + "/clip.mp4"
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=192x108:rate=30:duration=8", "-c:v", "libx264", "-preset",
        "veryfast",
        "-g", "20", "-pix_fmt", "yuv420p", "-threads", "1", path,
      ])
    guard outcome.status == 0 else { throw Tool.Failure(description: outcome.errors) }
    return path
  }

  static func extractor(_ path: String) throws -> FrameExtractor {
    try FrameExtractor(try openInput(path), environment: MediaEnvironment())
  }

  /// The time of every frame: exact targets, so that the work is split among groups of pictures.
  static let everyFrame = FramesRequest(
    .positions((0..<frameCount).map { .time(MediaTime(Rational(Int64($0), 30))) }), workers: 2)

  static func tracked(_ extractor: FrameExtractor, _ request: FramesRequest, _ census: Census) throws -> FrameSequence<Tracked> {
    try extractor.sequence(request) { frame throws(MediaError) in Tracked(frame.actual, census) }
  }

  /// Waits until a number stops growing, for at most ten seconds.
  static func settled(_ value: () -> Int) async throws -> Int {
    var last = value()
    var quiet = 0
    for _ in 0..<200 where quiet < 6 {
      try await Task.sleep(for: .milliseconds(50))
      let now = value()
      quiet = now == last ? quiet + 1 : 0
      last = now
    }
    return last
  }

  @Test("results come in ascending order, the same as those of the synchronous stream", arguments: [1, 2, 4])
  func order(workers: Int) async throws {
    let folder = try ScratchFolder()
    let path = try Self.clip(folder)
    var request = Self.everyFrame
    request.workers = workers
    var times: [MediaTime] = []
    let sequence = try Self.extractor(path).sequence(request) { frame throws(MediaError) in frame.actual }
    for try await result in sequence { times.append(try result.output.get()) }
    #expect(times == (0..<Self.frameCount).map { MediaTime(Rational(Int64($0), 30)) })
    #expect(sequence.counters.framesOutput == Self.frameCount)
    let stream = try Self.extractor(path).frames(request) { frame throws(MediaError) in frame.actual }
    var again: [MediaTime] = []
    while let result = try stream.next() { again.append(try result.output.get()) }
    #expect(times == again)
  }

  @Test("nothing is decoded ahead of the consumer but a few frames a worker")
  func backpressure() async throws {
    let folder = try ScratchFolder()
    let census = Census()
    let sequence = try Self.tracked(try Self.extractor(try Self.clip(folder)), Self.everyFrame, census)
    var iterator = sequence.makeAsyncIterator()
    var consumed = 0
    for taken in [1, 2, 40] {
      while consumed < taken {
        _ = try await iterator.next()
        consumed += 1
      }
      let made = try await Self.settled { census.made }
      #expect(made >= taken)
      #expect(made <= taken + Self.ahead, "\(made) results after \(taken) were taken")
    }
  }

  @Test("the results alive at once stay few, however slow the consumer and long the file")
  func boundedMemory() async throws {
    let folder = try ScratchFolder()
    let census = Census()
    let sequence = try Self.tracked(try Self.extractor(try Self.clip(folder)), Self.everyFrame, census)
    var count = 0
    for try await _ in sequence {
      count += 1
      if count % 16 == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(count == Self.frameCount && census.made == Self.frameCount)
    #expect(census.living == 0)
    #expect(census.most <= Self.ahead + 1, "\(census.most) at once")
  }

  @Test("cancelling the consuming task ends its loop and the decoders")
  func cancellation() async throws {
    let folder = try ScratchFolder()
    let census = Census()
    let sequence = try Self.tracked(try Self.extractor(try Self.clip(folder)), Self.everyFrame, census)
    let reached = Mutex(false)
    let consumer = Task {
      var count = 0
      for try await _ in sequence {
        count += 1
        if count == 5 {
          reached.withLock { $0 = true }
          // Holds the sixth back until the task is cancelled.
          while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
        }
      }
      return count
    }
    while !reached.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
    consumer.cancel()
    let consumed = try await consumer.value
    #expect(consumed >= 5 && consumed <= 6)
    let made = try await Self.settled { census.made }
    #expect(made <= 6 + Self.ahead)
  }

  @Test("a loop that is left early ends the decoders and frees what they hold")
  func leftEarly() async throws {
    let folder = try ScratchFolder()
    let census = Census()
    let path = try Self.clip(folder)
    do {
      let sequence = try Self.tracked(try Self.extractor(path), Self.everyFrame, census)
      for try await result in sequence where try result.output.get().time >= MediaTime(Rational(1, 10)) { break }
    }
    let made = try await Self.settled { census.made }
    #expect(made <= 6 + Self.ahead)
    #expect(census.living == 0)
  }

  @Test("a second iteration is empty")
  func once() async throws {
    let folder = try ScratchFolder()
    let sequence = try Self.extractor(try Self.clip(folder)).sequence(FramesRequest(.keyframes)) { frame throws(MediaError) in frame.actual
    }
    var counts: [Int] = []
    for _ in 0..<2 {
      var count = 0
      for try await _ in sequence { count += 1 }
      counts.append(count)
    }
    #expect(counts == [Self.frameCount / 20, 0])
  }

  @Test("what ends the whole request is thrown, once; an item's own failure is in the item")
  func errors() async throws {
    let folder = try ScratchFolder()
    let path = try Self.clip(folder)
    let environment = MediaEnvironment()
    let extractor = try FrameExtractor(try openInput(path), environment: environment)
    let sequence = try extractor.sequence(Self.everyFrame) { frame throws(MediaError) -> MediaTime in
      if frame.index == 3 { throw MediaError(.unavailable, "cannot turn a frame", reason: "the test says so") }
      return frame.actual
    }
    var failed: [Int] = []
    var seen = 0
    await #expect(throws: MediaError.self) {
      for try await result in sequence {
        seen += 1
        if case .failure(let error) = result.output {
          #expect(error.code == .unavailable)
          failed.append(result.index)
        }
        if seen == 10 { environment.cancellation.cancel() }
      }
    }
    #expect(failed == [3])
    #expect(seen >= 10 && seen < Self.frameCount)
  }
}
