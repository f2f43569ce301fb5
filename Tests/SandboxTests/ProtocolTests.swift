import FileAccess
import MediaCore
import TestBasics
import Testing

@testable import Sandbox

@Suite struct ProtocolTests {
  @Test func framesSurviveEveryTear() throws {
    let frames = [Frame(kind: .progress, body: [1, 2, 3]), Frame(kind: .result, body: []), Frame(kind: .log, body: Array(0..<200))]
    let stream = frames.flatMap { Frame.encoded($0.kind, $0.body) }
    for chunk in 1...stream.count {
      var decoder = FrameDecoder(fromWorker: true)
      var found: [Frame] = []
      var position = 0
      while position < stream.count {
        decoder.append(stream[position..<min(position + chunk, stream.count)])
        position += chunk
        while let frame = try decoder.next() { found.append(frame) }
      }
      #expect(found == frames)
      #expect(decoder.pendingByteCount == 0)
    }
  }

  @Test func aHeaderIsKnownLittleEndian() {
    #expect(Frame.encoded(.log, [9, 9]) == [2, 0, 0, 0, 67, 0, 0, 0, 9, 9])
  }

  @Test(arguments: FrameKind.allCases)
  func lengthsAboveTheLimitAreRefusedAtTheHeader(_ kind: FrameKind) throws {
    let tooLong = UInt32(kind.maximumByteCount + 1)
    for length in [tooLong, .max] {
      var decoder = FrameDecoder(fromWorker: kind.isFromWorker)
      decoder.append((0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + [kind.rawValue, 0, 0, 0])
      #expect(throws: ProtocolViolation.self) { try decoder.next() }
    }
    var other = FrameDecoder(fromWorker: !kind.isFromWorker)
    other.append(Frame.encoded(kind))
    #expect(throws: ProtocolViolation.self) { try other.next() }
  }

  @Test func aClaimedLengthTakesNoMemory() throws {
    var decoder = FrameDecoder(fromWorker: true)
    decoder.append([0, 0, 0, 4, FrameKind.result.rawValue, 0, 0, 0])  // 64 MiB to come
    #expect(try decoder.next() == nil)
    #expect(decoder.pendingByteCount == 8)
  }

  @Test func garbageNeverPassesAsManyFrames() {
    var generator = SplitMix(state: 1)
    for _ in 0..<20_000 {
      var decoder = FrameDecoder(fromWorker: Bool.random(using: &generator))
      decoder.append((0..<Int.random(in: 0...64, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) })
      do {
        while let frame = try decoder.next() { #expect(frame.body.count <= 64) }
      } catch {
        #expect(!error.reason.isEmpty)
      }
    }
  }

  @Test func messagesRoundTrip() throws {
    var configure = ConfigureMessage()
    configure.isTemplate = true
    configure.landlockABILimit = 2
    configure.addressSpaceBytes = .max
    configure.keepsStatistics = true
    #expect(try ConfigureMessage(body: configure.body) == configure)

    var limits = Limits()
    limits.streams = 7
    let start = StartMessage(kind: "probe", limits: limits, threads: 5, payload: [0, 255, 1])
    #expect(try StartMessage(body: start.body) == start)

    let request = RequestMessage(id: .max, operation: .output, name: "segment 7 é\0")
    #expect(try RequestMessage(body: request.body) == request)

    let progress = Progress(stage: "encode", done: 0.5, frames: 12, fps: 25.5, etaSeconds: nil)
    #expect(try Progress(wireBody: progress.wireBody) == progress)

    let error = MediaError(.incomplete, "o", path: nil, reason: "r", advice: "a", details: ["x", "y"])
    let failure = try FailureMessage(body: FailureMessage(id: 3, error: error).body)
    #expect(failure.id == 3)
    #expect(failure.error.description == error.description)
    #expect(failure.error.code == error.code && failure.error.details == error.details)
  }

  @Test func progressIsHeldInItsRange() throws {
    let wild = Progress(stage: "s", done: 7, frames: -5, fps: -.infinity, etaSeconds: -1)
    #expect(try Progress(wireBody: wild.wireBody) == Progress(stage: "s", done: 1, frames: 0, fps: 0, etaSeconds: 0))
  }

  @Test func longTextIsCutAtACharacter() throws {
    var writer = WireWriter()
    writer.write("aéé", maximum: 4)
    var reader = WireReader(writer.bytes)
    #expect(try reader.readString() == "aé")
  }

  @Test func tornAndMutatedBodiesAreRefusedOrRead() throws {
    let error = MediaError(.io, "operation", path: "p", reason: "r", advice: "a", details: ["one", "two"])
    let bodies = [
      ConfigureMessage().body, StartMessage(kind: "k", limits: Limits(), threads: 1, payload: [1]).body,
      RequestMessage(id: 1, operation: .input, name: "name").body, FailureMessage(id: 1, error: error).body,
      Progress(stage: "s", done: 0, frames: 0, fps: 0, etaSeconds: 1).wireBody,
    ]
    var generator = SplitMix(state: 2)
    for (place, body) in bodies.enumerated() {
      // All of these end in a counted or a fixed field, except the payload of a start message, which is the rest.
      for length in 0..<body.count where place != 1 || length < body.count - 1 {
        #expect(throws: ProtocolViolation.self) { try read(Array(body[..<length]), as: place) }
      }
      for _ in 0..<5000 {
        var mutated = body
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          mutated[Int.random(in: 0..<mutated.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        try? read(mutated, as: place)
      }
    }
  }

  private func read(_ body: [UInt8], as place: Int) throws(ProtocolViolation) {
    switch place {
    case 0: _ = try ConfigureMessage(body: body)
    case 1: _ = try StartMessage(body: body)
    case 2: _ = try RequestMessage(body: body)
    case 3: _ = try FailureMessage(body: body)
    default: _ = try Progress(wireBody: body)
    }
  }
}
