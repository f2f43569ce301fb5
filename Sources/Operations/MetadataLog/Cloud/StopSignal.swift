internal import CSystem
internal import Glibc

/// Tells a thread that pauses to end, at once: nothing wakes in between to look.
final class StopSignal: Sendable {
  private let reading: Int32
  private let writing: Int32

  init() throws(MetadataLogError) {
    var ends: [Int32] = [-1, -1]
    // Close-on-exec from the first: another thread may be starting a program right now.
    let result = rw_pipe(&ends)
    guard result == 0 else {
      throw MetadataLogError(.retryLater, "cannot make a pipe", reason: String(cString: strerror(-result)))
    }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    close(reading)
    close(writing)
  }

  /// Once: what is written is never read, so that every pause ends from now on.
  func stop() {
    var byte: UInt8 = 0
    _ = write(writing, &byte, 1)
  }

  /// Waits for so long, or until it is stopped.
  /// - Returns: whether it is stopped.
  func wait(seconds: Double) -> Bool {
    var entry = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, Int32(max(0, seconds * 1000))) > 0
  }
}
