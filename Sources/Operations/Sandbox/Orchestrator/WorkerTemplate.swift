internal import CSystem
import FileAccess
import Glibc
import MediaCore

/// A worker process that has done its dynamic linking, runs no task, and forks a fresh worker on request.
///
/// Linking the media libraries takes far longer than a short task; a fork does not. The template is not sealed (each
/// fork seals itself before it reads its task) but it receives nothing other than the requests of this process. Safe to
/// use from any thread; requests are answered one at a time.
final class WorkerTemplate: Sendable {
  private struct State {
    var decoder = FrameDecoder(fromWorker: true)
    var isBroken = false
  }

  private let process: WorkerProcess
  private let monitor = Monitor(State())

  init(_ configuration: WorkerConfiguration) throws(MediaError) {
    process = try WorkerProcess.start(configuration)
    var message = ConfigureMessage()
    message.isTemplate = true
    let bytes = Frame.encoded(.configure, message.body)
    guard rw_send(process.socket.rawValue, bytes, bytes.count, nil, 0) == bytes.count else {
      throw MediaError(.retryLater, "cannot start a worker process", reason: "the template process does not answer")
    }
  }

  /// Whether it still answers.
  var isUsable: Bool { monitor.update { !$0.isBroken } }

  /// A new worker, not yet sealed; nil when the template no longer works, which is then not usable any more.
  func fork() throws(MediaError) -> WorkerProcess? {
    let channel = try WorkerChannelPair()
    let passed = [channel.workerSocket.rawValue, channel.workerErrorOutput.rawValue]
    guard let frame = ask(.fork, [], passing: passed), frame.kind == .forked else { return nil }
    var reader = WireReader(frame.body)
    guard let value = try? reader.readInt64(), value > 1 else { return nil }
    return WorkerProcess(
      processID: pid_t(truncatingIfNeeded: value), socket: channel.socket, errorOutput: channel.errorOutput, template: self)
  }

  /// How a worker that it forked ended; nil while it runs and `wait` is false.
  func reap(_ processID: pid_t, wait: Bool) -> WorkerExit? {
    var writer = WireWriter()
    writer.write(Int64(processID))
    writer.write(wait)
    guard let frame = ask(.reap, writer.bytes, passing: []), frame.kind == .ended else { return .withTemplate(ending()) }
    if frame.body.isEmpty { return nil }
    return (try? WorkerExit(body: frame.body)) ?? .unknown
  }

  /// How the template itself ended; nil when it has not within half a second, although it does not answer.
  private func ending() -> WorkerExit? {
    monitor.update { _ in
      let deadline = rw_monotonic_nanoseconds() + 500_000_000
      while rw_monotonic_nanoseconds() < deadline {
        if let exit = process.poll() { return exit }
        usleep(1000)
      }
      return nil
    }
  }

  /// One request and its answer; nil, and broken for ever, when that fails.
  private func ask(_ kind: FrameKind, _ body: [UInt8], passing descriptors: [Int32]) -> Frame? {
    monitor.update { state -> Frame? in
      if state.isBroken { return nil }
      let bytes = Frame.encoded(kind, body)
      let sent = rw_send(process.socket.rawValue, bytes, bytes.count, descriptors, Int32(descriptors.count))
      guard sent == bytes.count, let answer = receive(&state.decoder) else {
        state.isBroken = true
        return nil
      }
      return answer
    }
  }

  private func receive(_ decoder: inout FrameDecoder) -> Frame? {
    // Generous: a machine under load may take long to load the libraries; a dead template shows at once.
    let deadline = rw_monotonic_nanoseconds() + 60_000_000_000
    var buffer = [UInt8](repeating: 0, count: 1024)
    while true {
      if let frame = try? decoder.next() { return frame }
      var ready: Int32 = 0
      guard rw_monotonic_nanoseconds() < deadline, rw_wait_ready(process.socket.rawValue, 0, -1, 1000, &ready) == 0 else { return nil }
      guard ready & 1 != 0 else { continue }
      let count = rw_receive_bytes(process.socket.rawValue, &buffer, buffer.count)
      if count == -Int(EAGAIN) { continue }
      guard count > 0 else { return nil }
      decoder.append(buffer[..<count])
    }
  }
}
