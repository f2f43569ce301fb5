import Glibc
import MediaCore
import Synchronization

/// A file that will appear at a path when it is complete.
///
/// Written to an unnamed file (`O_TMPFILE`) of the target folder, which the kernel removes with the process. Where the
/// file system has none, a locked `.NAME.reel-….partial` takes its place, and one whose writer died is swept away when
/// the next output is created in that folder. Publishing flushes the data, links it without replacing anything (or
/// exchanges it atomically when replacing is allowed), then flushes the folder.
final class PendingOutput: Sendable {
  let descriptor: Descriptor
  private let path: String
  private let folder: Descriptor
  private let name: String
  /// Name of the partial file where there is no `O_TMPFILE`.
  private let partialName: String?
  private let mayReplace: Bool

  // <fcntl.h>: __O_TMPFILE | O_DIRECTORY, a macro that the importer does not see.
  private static let unnamed: Int32 = 0o20200000

  init(path: String, mayReplace: Bool) throws(MediaError) {
    let operation = "cannot create \(path)"
    try PendingOutput.check(path: path, mayReplace: mayReplace)
    let (folderPath, name) = PendingOutput.split(path)
    let folderNumber = open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folderNumber >= 0 else { throw PendingOutput.failure(operation, path, errno) }
    let folder = Descriptor(owning: folderNumber)
    PendingOutput.sweep(folder)
    PendingOutput.sweepSidecar(path)

    var number = openat(folderNumber, ".", PendingOutput.unnamed | O_RDWR | O_CLOEXEC, 0o666)
    var partial: String?
    if number < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL) {
      let candidate = OutputNames.temporary(for: name, tag: PendingOutput.tag())
      number = openat(folderNumber, candidate, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if number >= 0 {
        partial = candidate
        flock(number, LOCK_EX | LOCK_NB)
      }
    }
    guard number >= 0 else { throw PendingOutput.failure(operation, path, errno) }
    descriptor = Descriptor(owning: number)
    partialName = partial
    self.folder = folder
    self.name = name
    self.path = path
    self.mayReplace = mayReplace
  }

  deinit {
    if let partialName { unlinkat(folder.rawValue, partialName, 0) }
  }

  /// Throws when a file could not be published at `path` as things stand.
  static func check(path: String, mayReplace: Bool) throws(MediaError) {
    let operation = "cannot create \(path)"
    var status = stat()
    guard !path.isEmpty, !path.hasSuffix("/") else {
      throw MediaError(.exists, operation, path: path, reason: "it names a folder", advice: "give a file name")
    }
    if lstat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFLNK:
        throw MediaError(.exists, operation, path: path, reason: "it is a symbolic link", advice: "name the file that it points to")
      case S_IFREG where mayReplace: break
      case S_IFREG:
        throw MediaError(.exists, operation, path: path, reason: "it exists already", advice: "use --overwrite to replace it")
      case S_IFDIR:
        throw MediaError(.exists, operation, path: path, reason: "it is a folder", advice: "give a file name")
      default:
        throw MediaError(.exists, operation, path: path, reason: "it is a pipe or device", advice: "name a regular file")
      }
    } else if errno == ENAMETOOLONG {
      throw failure(operation, path, errno)
    }
    let folder = split(path).folder
    if access(folder, W_OK | X_OK) != 0 { throw failure(operation, path, errno) }
  }

  /// An unnamed file for intermediate data.
  static func scratch() throws(MediaError) -> Descriptor {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var number = open(folder, unnamed | O_RDWR | O_CLOEXEC, 0o600)
    if number < 0 {
      let path = "\(folder)/reel-\(tag())"
      number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      if number >= 0 { unlink(path) }
    }
    guard number >= 0 else { throw failure("cannot create a temporary file in \(folder)", folder, errno) }
    return Descriptor(owning: number)
  }

  /// Makes the file appear. See `LocalFiles.publish`.
  func publish(sidecar: String?) throws(MediaError) {
    let operation = "cannot publish \(path)"
    guard fsync(descriptor.rawValue) == 0 else { throw PendingOutput.failure(operation, path, errno) }
    if let sidecar { try PendingOutput.publishSidecar(sidecar, of: path, mayReplace: mayReplace) }
    do throws(MediaError) {
      if let partialName {
        try move(partialName, operation)
      } else {
        try place(operation)
      }
    } catch {
      if sidecar != nil { unlink(OutputNames.sidecar(of: path)) }
      throw error
    }
    fsync(folder.rawValue)
  }

  /// Makes the sidecar of the output at `path` appear. Without replacing, like the output itself: whoever links the sidecar
  /// first owns the name.
  static func publishSidecar(_ text: String, of path: String, mayReplace: Bool) throws(MediaError) {
    let file = try PendingOutput(path: OutputNames.sidecar(of: path), mayReplace: mayReplace)
    fchmod(file.descriptor.rawValue, 0o600)
    try file.write(text)
    try file.publish(sidecar: nil)
  }

  private func write(_ text: String) throws(MediaError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw PendingOutput.failure("cannot write \(path)", path, errno) }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Links the unnamed file under its name; AT_EMPTY_PATH would need privileges, /proc does not.
  private func place(_ operation: String) throws(MediaError) {
    let source = "/proc/self/fd/\(descriptor.rawValue)"
    if linkat(AT_FDCWD, source, folder.rawValue, name, AT_SYMLINK_FOLLOW) == 0 { return }
    guard errno == EEXIST && mayReplace else { throw PendingOutput.failure(operation, path, errno) }
    let temporary = OutputNames.temporary(for: name, tag: PendingOutput.tag())
    guard linkat(AT_FDCWD, source, folder.rawValue, temporary, AT_SYMLINK_FOLLOW) == 0 else {
      throw PendingOutput.failure(operation, path, errno)
    }
    guard renameat(folder.rawValue, temporary, folder.rawValue, name) == 0 else {
      let error = errno
      unlinkat(folder.rawValue, temporary, 0)
      throw PendingOutput.failure(operation, path, error)
    }
  }

  private func move(_ partial: String, _ operation: String) throws(MediaError) {
    let moved =
      mayReplace
      ? renameat(folder.rawValue, partial, folder.rawValue, name) : linkat(folder.rawValue, partial, folder.rawValue, name, 0)
    guard moved == 0 else { throw PendingOutput.failure(operation, path, errno) }
  }

  /// Removes partial files and waiting rooms whose writer is gone: their lock can be had.
  static func sweep(_ folder: Descriptor) {
    let copy = openat(folder.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let listing = fdopendir(copy) else { return }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix("."), name.hasSuffix(".partial"), name.contains(".reel-") else { continue }
      let number = openat(folder.rawValue, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard number >= 0 else { continue }
      if flock(number, LOCK_EX | LOCK_NB) == 0, unlinkat(folder.rawValue, name, 0) != 0, errno == EISDIR, name.hasPrefix(".reel-") {
        WaitingRoom.remove(name, opened: number, from: folder.rawValue)
      }
      close(number)
    }
  }

  /// Removes the sidecar of an output that never appeared.
  static func sweepSidecar(_ path: String) {
    var status = stat()
    if !OutputNames.isSidecar(path), lstat(path, &status) != 0 && errno == ENOENT { unlink(OutputNames.sidecar(of: path)) }
  }

  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }

  private static let counter = Atomic<UInt64>(0)

  /// Tells temporary files from each other.
  static func tag() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return "\(getpid())-" + String(UInt64(time.tv_nsec) &+ counter.add(1, ordering: .relaxed).newValue &* 1_000_000_007, radix: 36)
  }

  static func failure(_ operation: String, _ path: String, _ error: Int32) -> MediaError {
    let text = String(cString: strerror(error))
    switch error {
    case EEXIST:
      return MediaError(.exists, operation, path: path, reason: "it exists already", advice: "use --overwrite to replace it")
    case ENOENT, ENOTDIR:
      return MediaError(.exists, operation, path: path, reason: "its folder does not exist", advice: "create the folder first")
    case EACCES, EPERM, EROFS:
      return MediaError(.exists, operation, path: path, reason: text, advice: "choose a folder that you may write to")
    case ENAMETOOLONG:
      return MediaError(.exists, operation, path: path, reason: text, advice: "use a name of at most 255 bytes")
    case EMFILE, ENFILE:
      return MediaError(.retryLater, operation, path: path, reason: text, advice: MediaError.openFilesAdvice)
    case ENOSPC, EDQUOT:
      return MediaError(.io, operation, path: path, reason: text, advice: "free some space and try again")
    default:
      return MediaError(.io, operation, path: path, reason: text)
    }
  }
}
