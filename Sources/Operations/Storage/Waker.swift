import Glibc

/// Waits for descriptors or for `wake()` from another thread.
final class Waker: Sendable {
  private let reading: Int32
  private let writing: Int32
  private let watched = Monitor<Set<Int32>>([])

  init() throws(StorageError) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw StorageError(.io, "cannot make a pair of sockets", reason: String(cString: strerror(errno)))
    }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    close(reading)
    close(writing)
  }

  func wake() {
    var byte: UInt8 = 0
    // A full buffer means that the waiter has been woken already.
    _ = write(writing, &byte, 1)
  }

  func watch(_ descriptor: Int32) {
    watched.signal { _ = $0.insert(descriptor) }
    wake()
  }

  func unwatch(_ descriptor: Int32) { watched.signal { _ = $0.remove(descriptor) } }

  /// The descriptors that are ready or hung up among `also`, those watched and the waker's own; empty when the time was up.
  func wait(also: [Int32], milliseconds: Int) -> Set<Int32> {
    let others = watched.withLock { Array($0) }
    var polled = ([reading] + also).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    polled += others.map { pollfd(fd: $0, events: 0, revents: 0) }
    guard poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds)) > 0 else { return [] }
    if polled[0].revents != 0 {
      withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
        while read(reading, buffer.baseAddress, buffer.count) > 0 {}
      }
    }
    // A hung-up descriptor stays so: it is reported once.
    for entry in polled.dropFirst(1 + also.count) where entry.revents != 0 { unwatch(entry.fd) }
    return Set(polled.filter { $0.revents != 0 }.map(\.fd))
  }
}
