import CFuzzer
import Composition
import FFmpegBridge
import FileAccess
import Glibc
import MediaCore
import PositionedJSON
import Text
import Transfer

@testable import Jobs
@testable import MetadataLog
@testable import Sandbox

/// The one that this process feeds; set before the loop begins, as C callbacks carry no context.
nonisolated(unsafe) var chosen = FuzzTarget.json

/// What reads bytes that somebody else wrote.
enum FuzzTarget: String, CaseIterable {
  case json, document, captions, rows, timeline, spec, schedule, address, events, frames, media

  func run(_ bytes: [UInt8]) {
    switch self {
    case .json: FuzzTarget.json(bytes)
    case .document: FuzzTarget.document(bytes)
    case .captions: _ = try? CaptionFile(bytes, name: "captions")
    case .rows: FuzzTarget.rows(bytes)
    case .timeline: FuzzTarget.timeline(bytes)
    case .spec: FuzzTarget.spec(bytes)
    case .schedule: FuzzTarget.schedule(bytes)
    case .address: _ = try? TransferURL(String(decoding: bytes, as: UTF8.self))
    case .events: FuzzTarget.events(bytes)
    case .frames: FuzzTarget.frames(bytes)
    case .media: FuzzTarget.media(bytes)
    }
  }

  private static let source = JSONSource("fuzz")

  /// Ends the process where something promised does not hold.
  private static func require(_ condition: Bool, _ promise: StaticString) {
    if !condition { fatalError("\(promise)") }
  }

  /// What was parsed is written and parsed to the same again.
  private static func json(_ bytes: [UInt8]) {
    guard let node = try? JSONParser.parse(bytes, source: source) else { return }
    let text = JSON(node.value).text(indent: nil)
    guard let again = try? JSONParser.parse(text, source: source) else { fatalError("what was written cannot be read: \(text)") }
    require(JSON(again.value).text(indent: nil) == text, "a second pass changes the text")
  }

  private static func document(_ bytes: [UInt8]) {
    _ = try? ReelDocument.variables(parsing: bytes, source: source)
    guard let document = try? ReelDocument(parsing: bytes, source: source) else { return }
    _ = String(describing: document)
  }

  /// Rows count from 0 and stand on rising lines.
  private static func rows(_ bytes: [UInt8]) {
    guard let rows = try? DataRows(bytes, name: "rows") else { return }
    var line = 0
    for (index, row) in rows.rows.enumerated() {
      require(row.index == index && row.line > line, "rows are out of order")
      line = row.line
    }
  }

  /// A timeline that is accepted makes JSON.
  private static func timeline(_ bytes: [UInt8]) {
    guard let made = try? OTIOReader.document(String(decoding: bytes, as: UTF8.self), name: "fuzz") else { return }
    require((try? JSONParser.parse(made, source: source)) != nil, "the document of a timeline is not JSON")
    _ = try? ReelDocument(parsing: Array(made.utf8), source: source)
  }

  /// A specification is read again from what it writes.
  private static func spec(_ bytes: [UInt8]) {
    guard let node = try? JSONParser.parse(bytes, source: source), let spec = try? JobSpec(json: node) else { return }
    let text = spec.json.text(indent: nil)
    guard let again = try? JSONParser.parse(text, source: source), let same = try? JobSpec(json: again) else {
      fatalError("a specification cannot be read again: \(text)")
    }
    require(same.json.text(indent: nil) == text, "a specification changes when it is read again")
  }

  private static func schedule(_ bytes: [UInt8]) { _ = try? CronSchedule(String(decoding: bytes, as: UTF8.self)) }

  /// The first byte chooses the kind of event, the rest is what a store holds of it.
  private static func events(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let kind = EventKind.allCases[Int(first) % EventKind.allCases.count]
    guard let event = LogEntry.event(kind: kind, project: "default", payload: Array(bytes.dropFirst())) else { return }
    guard (try? event.validate()) != nil else { return }
    let again = LogEntry.event(kind: kind, project: "default", payload: Array(event.payload.utf8))
    require(again == event, "an event changes when it is read again")
  }

  /// The first byte chooses the direction and how the stream is torn.
  private static func frames(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let fromWorker = first & 1 == 1
    let step = max(1, Int(first >> 1))
    var decoder = FrameDecoder(fromWorker: fromWorker)
    var rest = bytes.dropFirst()
    while !rest.isEmpty {
      decoder.append(rest.prefix(step))
      rest = rest.dropFirst(step)
      do throws(ProtocolViolation) {
        while let frame = try decoder.next() { try message(frame) }
      } catch { return }
    }
  }

  private static func message(_ frame: Frame) throws(ProtocolViolation) {
    switch frame.kind {
    case .configure: require(try ConfigureMessage(body: frame.body).body == frame.body, "a configuration changes")
    case .start: _ = try StartMessage(body: frame.body).body
    case .opened: _ = try OpenedMessage(body: frame.body, descriptor: 0)
    case .denied, .failure: _ = try FailureMessage(body: frame.body).body
    case .request: require(try RequestMessage(body: frame.body).body == frame.body, "a request changes")
    case .progress: _ = try Progress(wireBody: frame.body).wireBody
    default: break
    }
  }

  /// A file of these bytes through demuxer and decoders. FFmpeg itself is not instrumented: findings are in what we make of its answers.
  private static func media(_ bytes: [UInt8]) {
    let number = fuzz_file()
    let descriptor = Descriptor(owning: number)
    guard bytes.withUnsafeBytes({ pwrite(number, $0.baseAddress, $0.count, 0) }) == bytes.count,
      let snapshot = FileSnapshot(of: number)
    else { return }
    var limits = Limits()
    limits.frames = 20
    let environment = MediaEnvironment(limits: limits)
    let input = InputFile(descriptor: descriptor, displayName: "fuzz", snapshot: snapshot)
    if let pictures = try? VideoDecodeSource(input, environment: environment) {
      while let frame = try? pictures.next() { _ = frame.resolvedColor }
    }
    if let sound = try? AudioDecodeSource(input, environment: environment) {
      for _ in 0..<50 where (try? sound.next()) == nil { break }
    }
  }
}
