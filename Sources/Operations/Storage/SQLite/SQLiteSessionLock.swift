import Glibc

/// A `flock` on a file beside the database: the kernel frees it when the process ends, however it ends.
final class SQLiteSessionLock: SessionLock {
  private let descriptor: Int32
  private let path: String

  private init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit {
    // Removed while held: whoever waits for it finds that the name no longer leads to its file.
    unlink(path)
    close(descriptor)
  }

  /// The lock file of `key` beside the database at `database`.
  static func path(_ database: String, _ key: Int64) -> String {
    "\(database)-lock-\(String(UInt64(bitPattern: key), radix: 16))"
  }

  func isHeld() -> Bool { true }

  /// nil when another descriptor, of this process too, holds the lock.
  static func take(_ path: String) throws(StorageError) -> SQLiteSessionLock? {
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else {
        throw StorageError(.cannotOpen, "cannot open the lock", path: path, reason: String(cString: strerror(errno)))
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let reason = errno
        close(descriptor)
        if reason == EWOULDBLOCK { return nil }
        throw StorageError(.io, "cannot lock", path: path, reason: String(cString: strerror(reason)))
      }
      var mine = stat()
      var named = stat()
      if fstat(descriptor, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino {
        return SQLiteSessionLock(descriptor: descriptor, path: path)
      }
      close(descriptor)
    }
  }
}
