internal import CSystem
import Glibc

/// Frames and descriptors from the orchestrator, read by one thread.
struct WorkerInput {
  private var decoder = FrameDecoder(fromWorker: false)
  private var descriptors: [Int32] = []
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// The next frame; nil when the orchestrator has closed the connection. A frame that breaks the protocol ends the process.
  mutating func next() -> Frame? {
    while true {
      do throws(ProtocolViolation) {
        if let frame = try decoder.next() { return frame }
      } catch {
        _exit(70)
      }
      var passed: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
      var passedCount: Int32 = 0
      let count = buffer.withUnsafeMutableBytes { bytes in
        withUnsafeMutableBytes(of: &passed) {
          rw_receive(RW_WORKER_SOCKET, bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: Int32.self).baseAddress, &passedCount)
        }
      }
      descriptors += [passed.0, passed.1, passed.2, passed.3].prefix(Int(passedCount))
      guard count > 0 else { return nil }
      decoder.append(buffer[..<count])
    }
  }

  /// The oldest descriptor that came and was not yet taken.
  mutating func takeDescriptor() -> Int32? { descriptors.isEmpty ? nil : descriptors.removeFirst() }
}
