internal import CSystem
import FileAccess
import Glibc
import MediaCore

/// One task in one worker: answers its requests, watches its limits, and brings its result or a named error.
///
/// The worker is assumed hostile: it may send anything, flood, hang, die or stop reading. Writes never block, what
/// is kept for it is bounded, and descriptors that it attaches to a message are dropped by the kernel.
final class WorkerSession {
  private struct Outgoing {
    var bytes: [UInt8]
    var sent = 0
    var passed: Descriptor?
  }

  private enum Outcome {
    case result([UInt8])
    case failure(MediaError)
  }

  private static let maximumWaiting = 64
  private static let maximumLogLines = 1000
  private static let maximumLogBytes = 256 << 10
  private static let maximumErrorOutput = 16 << 10

  private let process: WorkerProcess
  private let kind: String
  private let files: any Files
  private let limits: Limits
  private let cancellation: Cancellation
  private let cancelGraceNanoseconds: Int64

  private var outgoing: [Outgoing] = []
  private var decoder = FrameDecoder(fromWorker: true)
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)
  private var isolation: IsolationReport?
  private var log: [String] = []
  private var logByteCount = 0
  private var errorOutput: [UInt8] = []
  private var errorOutputIsOpen = true
  private var lastInput: String?
  private var outcome: Outcome?

  init(
    process: WorkerProcess, kind: String, files: any Files, limits: Limits, cancellation: Cancellation, cancelGraceSeconds: Double
  ) {
    self.process = process
    self.kind = kind
    self.files = files
    self.limits = limits
    self.cancellation = cancellation
    cancelGraceNanoseconds = Int64(max(cancelGraceSeconds, 0) * 1e9)
  }

  private var operation: String { lastInput.map { "cannot \(kind) \($0)" } ?? "cannot \(kind)" }

  /// Sends the opening frames and serves the worker to its end.
  func run(opening frames: [[UInt8]], progress: (Progress) -> Void) throws(MediaError) -> WorkerResult {
    for frame in frames { outgoing.append(Outgoing(bytes: frame)) }
    let wallNanoseconds = max(limits.wallSeconds, 0).multipliedReportingOverflow(by: 1_000_000_000)
    let started = rw_monotonic_nanoseconds()
    var killAfterCancel: Int64?

    while outcome == nil {
      try flush()
      var ready: Int32 = 0
      let result = rw_wait_ready(
        process.socket.rawValue, outgoing.isEmpty ? 0 : 1, errorOutputIsOpen ? process.errorOutput.rawValue : -1, 50, &ready)
      guard result == 0 else { throw systemError(operation, result) }
      if ready & 4 != 0 { readErrorOutput() }
      if ready & 1 != 0 {
        do throws(ProtocolViolation) {
          if try receive(progress) == false { break }
        } catch {
          throw broken(error)
        }
      }

      let now = rw_monotonic_nanoseconds()
      if !wallNanoseconds.overflow, now - started > wallNanoseconds.partialValue {
        _ = process.end()
        throw MediaError(
          .refused, operation, path: lastInput, reason: "it took longer than the limit wall=\(limits.wallSeconds) seconds",
          advice: "raise it with --limit wall=SECONDS")
      }
      if let deadline = killAfterCancel {
        if now > deadline {
          _ = process.end()
          throw cancelled
        }
      } else if cancellation.isCancelled {
        killAfterCancel = now + cancelGraceNanoseconds
        outgoing.append(Outgoing(bytes: Frame.encoded(.cancel)))
      }
    }

    guard let outcome else {
      // The connection ended without an answer: the worker is dying or dead.
      let exit = process.end(afterMilliseconds: 500)
      readErrorOutput()
      if cancellation.isCancelled { throw cancelled }
      throw WorkerDeath(
        operation: operation, path: lastInput, limits: limits, exit: exit, errorOutput: String(decoding: errorOutput, as: UTF8.self)
      ).error
    }
    // It has said everything; nothing that it would still do is wanted.
    let exit = process.end(afterMilliseconds: 20)
    switch outcome {
    case .failure(let error): throw error
    case .result(let bytes):
      guard let isolation else { throw broken(ProtocolViolation("a result before the isolation report")) }
      return WorkerResult(
        bytes: bytes, isolation: isolation, log: log, cpuSeconds: exit.cpuSeconds, peakResidentBytes: exit.peakResidentBytes)
    }
  }

  private var cancelled: MediaError { MediaError(.cancelled, operation, path: lastInput, reason: "cancelled") }

  private func broken(_ violation: ProtocolViolation) -> MediaError {
    _ = process.end()
    return MediaError(
      .damaged, operation, path: lastInput, reason: "the worker process broke its protocol: \(violation.reason)",
      advice: "do not trust this file", details: ["\(MediaError.workerDeathMark) protocol"])
  }

  /// Sends what the socket takes now.
  private func flush() throws(MediaError) {
    while var first = outgoing.first {
      let passed = first.sent == 0 ? first.passed.map { [$0.rawValue] } ?? [] : []
      let count = first.bytes.withUnsafeBytes { bytes in
        rw_send(
          process.socket.rawValue, bytes.baseAddress! + first.sent, bytes.count - first.sent, passed, Int32(passed.count))
      }
      if count == 0 { return }
      if count == -Int(EPIPE) || count == -Int(ECONNRESET) {
        outgoing.removeAll()  // The end shows when we read.
        return
      }
      guard count > 0 else { throw systemError(operation, Int32(count)) }
      first.sent += count
      if first.sent == first.bytes.count {
        outgoing.removeFirst()
      } else {
        outgoing[0] = first
      }
    }
  }

  /// Handles what has come; false at the end of the connection.
  private func receive(_ progress: (Progress) -> Void) throws(ProtocolViolation) -> Bool {
    let count = rw_receive_bytes(process.socket.rawValue, &buffer, buffer.count)
    if count == -Int(EAGAIN) { return true }
    guard count > 0 else { return false }
    decoder.append(buffer[..<count])
    while outcome == nil, let frame = try decoder.next() { try handle(frame, progress) }
    return true
  }

  private func handle(_ frame: Frame, _ progress: (Progress) -> Void) throws(ProtocolViolation) {
    switch frame.kind {
    case .ready:
      guard isolation == nil else { throw ProtocolViolation("two isolation reports") }
      isolation = try IsolationReport(body: frame.body)
    case .request:
      guard isolation != nil else { throw ProtocolViolation("a request before the isolation report") }
      guard outgoing.count < Self.maximumWaiting else { throw ProtocolViolation("requests without reading the answers") }
      outgoing.append(answer(try RequestMessage(body: frame.body)))
    case .progress: progress(try Progress(wireBody: frame.body))
    case .log: keep(String(decoding: frame.body, as: UTF8.self))
    case .result: outcome = .result(frame.body)
    case .failure: outcome = .failure(try FailureMessage(body: frame.body).error)
    default: throw ProtocolViolation("a \(frame.kind) message from a worker")
    }
  }

  /// The broker: a file by its logical name.
  private func answer(_ request: RequestMessage) -> Outgoing {
    do throws(MediaError) {
      let opened: OpenedMessage
      let descriptor: Descriptor
      switch request.operation {
      case .input:
        let file = try files.openInput(request.name)
        lastInput = file.displayName
        opened = OpenedMessage(id: request.id, displayName: file.displayName, snapshot: file.snapshot)
        descriptor = file.descriptor
      case .output:
        let file = try files.createOutput(request.name)
        opened = OpenedMessage(id: request.id, displayName: file.displayName, snapshot: nil)
        descriptor = file.descriptor
      case .scratch:
        opened = OpenedMessage(id: request.id, displayName: "", snapshot: nil)
        descriptor = try files.createScratch()
      case .complete:
        try files.completeOutput(request.name)
        return Outgoing(bytes: Frame.encoded(.opened, OpenedMessage(id: request.id, displayName: "", snapshot: nil).body))
      }
      return Outgoing(bytes: Frame.encoded(.opened, opened.body), passed: descriptor)
    } catch {
      return Outgoing(bytes: Frame.encoded(.denied, FailureMessage(id: request.id, error: error).body))
    }
  }

  private func keep(_ line: String) {
    guard log.count < Self.maximumLogLines, logByteCount < Self.maximumLogBytes else { return }
    log.append(line)
    logByteCount += line.utf8.count
  }

  /// Keeps the end of what the worker prints: the words of a runtime that aborts.
  private func readErrorOutput() {
    // A flood must not keep us from looking at the clock.
    for _ in 0..<8 where errorOutputIsOpen {
      let count = read(process.errorOutput.rawValue, &buffer, buffer.count)
      if count < 0, errno == EAGAIN || errno == EINTR { return }
      guard count > 0 else {
        errorOutputIsOpen = false
        return
      }
      errorOutput.append(contentsOf: buffer[..<count])
      if errorOutput.count > Self.maximumErrorOutput { errorOutput.removeFirst(errorOutput.count - Self.maximumErrorOutput) }
    }
  }
}
