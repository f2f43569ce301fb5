import FileAccess
import Glibc

/// An output before it has its name: an unnamed file (`O_TMPFILE`) of the target folder, which the kernel removes with
/// the process; where the file system has none, a locked `.NAME.reel-….partial`.
final class PendingFile: Sendable {
  let descriptor: Descriptor
  let path: String
  private let folder: Descriptor
  private let name: String
  private let partialName: String?

  // <fcntl.h>: __O_TMPFILE | O_DIRECTORY, a macro that the importer does not see.
  private static let unnamed: Int32 = 0o20200000

  /// - Parameter tag: makes the temporary names of two attempts differ.
  init(path: String, tag: String, mode: mode_t) throws(JobsError) {
    let (folderPath, name) = PendingFile.split(path)
    let folderNumber = open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folderNumber >= 0 else { throw PendingFile.failure("create", path, errno) }
    folder = Descriptor(owning: folderNumber)
    // At once, not after all the work.
    var status = stat()
    if fstatat(folderNumber, name, &status, AT_SYMLINK_NOFOLLOW) != 0, errno == ENAMETOOLONG {
      throw PendingFile.failure("create", path, errno)
    }
    temporaryName = OutputNames.temporary(for: name, tag: tag)
    var number = openat(folderNumber, ".", PendingFile.unnamed | O_RDWR | O_CLOEXEC, mode)
    var partial: String?
    if number < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL) {
      number = openat(folderNumber, temporaryName, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
      if number >= 0 {
        flock(number, LOCK_EX | LOCK_NB)
        partial = temporaryName
      }
    }
    guard number >= 0 else { throw PendingFile.failure("create", path, errno) }
    descriptor = Descriptor(owning: number)
    partialName = partial
    self.name = name
    self.path = path
  }

  private let temporaryName: String

  deinit {
    if let partialName { unlinkat(folder.rawValue, partialName, 0) }
  }

  func write(_ bytes: [UInt8]) throws(JobsError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw PendingFile.failure("write", path, errno) }
      rest = rest.dropFirst(count)
    }
  }

  func flush() throws(JobsError) {
    guard fsync(descriptor.rawValue) == 0 else { throw PendingFile.failure("flush", path, errno) }
  }

  func flushFolder() throws(JobsError) {
    guard fsync(folder.rawValue) == 0 else { throw PendingFile.failure("flush the folder of", path, errno) }
  }

  /// Gives the file its name; false when the name is taken.
  func link() throws(JobsError) -> Bool {
    if place(name) { return true }
    guard errno == EEXIST else { throw PendingFile.failure("publish", path, errno) }
    return false
  }

  /// Gives the file its name, replacing what is there in one step.
  func replace() throws(JobsError) {
    if partialName == nil, !place(temporaryName) { throw PendingFile.failure("publish", path, errno) }
    guard renameat(folder.rawValue, temporaryName, folder.rawValue, name) == 0 else {
      let error = errno
      unlinkat(folder.rawValue, temporaryName, 0)
      throw PendingFile.failure("publish", path, error)
    }
  }

  private func place(_ name: String) -> Bool {
    if let partialName { return linkat(folder.rawValue, partialName, folder.rawValue, name, 0) == 0 }
    // AT_EMPTY_PATH would need privileges, /proc does not.
    return linkat(AT_FDCWD, "/proc/self/fd/\(descriptor.rawValue)", folder.rawValue, name, AT_SYMLINK_FOLLOW) == 0
  }

  /// Removes what attempts of `job` that died between two steps of `replace` left beside `path`.
  static func sweep(_ path: String, job: JobID, except token: Int64) {
    let (folder, name) = split(path)
    let beginnings = [name, split(OutputNames.sidecar(of: path)).name].map { OutputNames.temporaryBeginning(for: $0) + "\(job)-" }
    guard let listing = opendir(folder) else { return }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let found = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard found.hasPrefix("."), found.hasSuffix(".partial"), !found.contains(".reel-\(job)-\(token)") else { continue }
      if beginnings.contains(where: found.hasPrefix) { unlink("\(folder)/\(found)") }
    }
  }

  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
  }

  static func failure(_ verb: String, _ path: String, _ error: Int32) -> JobsError {
    let text = String(cString: strerror(error))
    let operation = "cannot \(verb) \(path)"
    switch error {
    case ENOENT, ENOTDIR:
      return JobsError(.outputExists, operation, reason: "its folder does not exist", advice: "create the folder first")
    case EACCES, EPERM, EROFS, ELOOP:
      return JobsError(.outputExists, operation, reason: text, advice: "choose a folder that you may write to")
    case ENAMETOOLONG: return JobsError(.outputExists, operation, reason: text, advice: "use a name of at most 255 bytes")
    case ENOSPC, EDQUOT: return JobsError(.io, operation, reason: text, advice: "free some space")
    default: return JobsError(.io, operation, reason: text)
    }
  }
}
