import Glibc

/// A bell is an empty file beside the database: ringing writes a byte, waiters watch it with inotify. It wakes other
/// processes in tens of microseconds without polling.
final class SQLiteDoorbell: Doorbell {
  private let inotify: Int32
  private let waker: Waker

  init(path: String) throws(StorageError) {
    waker = try Waker()
    inotify = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard inotify >= 0, inotify_add_watch(inotify, path, UInt32(IN_MODIFY)) >= 0 else {
      throw StorageError(.io, "cannot watch", path: path, reason: String(cString: strerror(errno)))
    }
  }

  deinit { close(inotify) }

  func wait(milliseconds: Int) -> Bool {
    let ready = waker.wait(also: [inotify], milliseconds: milliseconds)
    if ready.contains(inotify) {
      // What was pending is taken whole: one wake-up stands for any number of rings.
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
        while read(inotify, buffer.baseAddress, buffer.count) > 0 {}
      }
    }
    return !ready.isEmpty
  }

  func wake() { waker.wake() }

  func watch(_ descriptor: Int32) { waker.watch(descriptor) }

  func unwatch(_ descriptor: Int32) { waker.unwatch(descriptor) }

  static func ring(_ descriptor: Int32) {
    var byte: UInt8 = 0
    _ = pwrite(descriptor, &byte, 1, 0)
  }
}
