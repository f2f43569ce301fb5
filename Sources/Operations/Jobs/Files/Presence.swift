import Glibc
import Storage

/// Tells neighbours on this machine at once that a worker has died: a FIFO that the worker keeps open for writing. The
/// kernel hangs it up with the process and not before, for no other process inherits it; what keeps a job from being done twice
/// even so are its token and its rows' locks. A reader on another machine, of a shared folder, sees no writer and no hang-up.
final class Presence: Sendable {
  private let path: String
  private let descriptor: Int32

  init(folder: String, worker: Int64) throws(JobsError) {
    if mkdir(folder, 0o700) == 0 { chmod(folder, 0o700) }
    path = Presence.path(folder, worker)
    unlink(path)
    guard mkfifo(path, 0o600) == 0 else { throw PendingFile.failure("create", path, errno) }
    chmod(path, 0o600)
    descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { throw PendingFile.failure("open", path, errno) }
  }

  deinit {
    unlink(path)
    close(descriptor)
  }

  private static func path(_ folder: String, _ worker: Int64) -> String {
    "\(folder)/\(String(UInt64(bitPattern: worker), radix: 16))"
  }

  /// A descriptor that hangs up when `worker` dies; nil when it is not of this machine. The caller closes it.
  static func watch(folder: String, worker: Int64) -> Int32? {
    let descriptor = open(path(folder, worker), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Removes what a dead worker left.
  static func remove(folder: String, worker: Int64) { unlink(path(folder, worker)) }
}
