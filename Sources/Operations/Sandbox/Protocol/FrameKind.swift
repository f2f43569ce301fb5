/// Every message of the worker protocol, with the side that sends it and the most bytes its body may have.
///
/// A frame is eight bytes of header (body length as a little-endian 32-bit number, the kind, three zero bytes) and
/// the body. Descriptors travel with the first byte of the frame that they belong to.
enum FrameKind: UInt8, CaseIterable {
  // From the orchestrator.
  /// How the worker is to seal itself; always the first frame.
  case configure = 1
  /// A task: kind, limits, payload.
  case start = 2
  /// A file that was asked for; its descriptor comes along.
  case opened = 3
  /// A file that was asked for and is refused.
  case denied = 4
  case cancel = 5
  /// To a template: fork a worker; its socket and its error output come along.
  case fork = 6
  /// To a template: has this worker ended?
  case reap = 7

  // From the worker.
  /// The worker has sealed itself; its isolation report.
  case ready = 64
  /// A file is asked for by logical name.
  case request = 65
  case progress = 66
  case log = 67
  case result = 68
  case failure = 69
  /// From a template: the process id of the new worker.
  case forked = 70
  /// From a template: how a worker ended, or that it has not.
  case ended = 71

  var isFromWorker: Bool { rawValue >= 64 }

  var maximumByteCount: Int {
    switch self {
    case .cancel, .fork: 0
    case .configure, .reap, .forked, .ended: 256
    case .ready, .progress: 4096
    case .request, .opened: 16 << 10
    case .log: 64 << 10
    case .denied, .failure: 256 << 10
    case .start, .result: 64 << 20
    }
  }
}

/// One received message.
struct Frame: Hashable {
  static let headerByteCount = 8

  var kind: FrameKind
  var body: [UInt8]

  /// The bytes to send. The body must not exceed the limit of its kind.
  static func encoded(_ kind: FrameKind, _ body: [UInt8] = []) -> [UInt8] {
    precondition(body.count <= kind.maximumByteCount, "the body of a frame exceeds the limit of its kind")
    var writer = WireWriter()
    writer.reserve(headerByteCount + body.count)
    writer.write(UInt32(body.count))
    writer.write(kind.rawValue)
    for _ in 0..<3 { writer.write(UInt8(0)) }
    writer.bytes.append(contentsOf: body)
    return writer.bytes
  }
}
