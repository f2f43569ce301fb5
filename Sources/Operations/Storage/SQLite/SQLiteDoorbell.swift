import Glibc

/// A bell is an empty file beside the database: ringing writes a byte, waiters watch it with inotify. It wakes other
/// processes in tens of microseconds without polling.
final class SQLiteDoorbell: Doorbell {
  private let watch: Int32
  /// A pair of sockets: reading end, writing end.
  private let wakeup: (read: Int32, write: Int32)

  init(path: String) throws(StorageError) {
    watch = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let hasPair = socketpair(AF_UNIX, type, 0, &ends) == 0
    wakeup = (ends[0], ends[1])
    guard watch >= 0, hasPair, inotify_add_watch(watch, path, UInt32(IN_MODIFY)) >= 0 else {
      throw StorageError(.io, "cannot watch", path: path, reason: String(cString: strerror(errno)))
    }
  }

  deinit {
    close(watch)
    close(wakeup.read)
    close(wakeup.write)
  }

  func wait(milliseconds: Int) -> Bool {
    var polled = [pollfd(fd: watch, events: Int16(POLLIN), revents: 0), pollfd(fd: wakeup.read, events: Int16(POLLIN), revents: 0)]
    let count = poll(&polled, 2, Int32(clamping: milliseconds))
    guard count > 0 else { return count < 0 }
    // What was pending is taken whole: one wake-up stands for any number of rings.
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while read(watch, buffer.baseAddress, buffer.count) > 0 {}
      while read(wakeup.read, buffer.baseAddress, buffer.count) > 0 {}
    }
    return true
  }

  func wake() {
    var byte: UInt8 = 0
    // A full buffer means that the waiter has been woken already.
    _ = write(wakeup.write, &byte, 1)
  }

  static func ring(_ descriptor: Int32) {
    var byte: UInt8 = 0
    _ = pwrite(descriptor, &byte, 1, 0)
  }
}
