internal import Glibc
public import MediaCore

/// Key files: made for their owner alone, refused when anyone else could have read or written them.
public enum SecretFile {
  /// Writes a new file with mode 0600, whatever the umask, and makes it durable.
  ///
  /// Never replaces: throws `exists` when the path is taken. Nothing is left behind on failure.
  public static func create(_ path: String, contents: [UInt8]) throws(MediaError) {
    let operation = "cannot write \(path)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw MediaError(
          .exists, operation, path: path, reason: "the file exists", advice: "keys are never overwritten; choose another name")
      }
      throw MediaError(.exists, operation, path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var failed = fchmod(descriptor, 0o600) != 0
    var offset = 0
    while !failed, offset < contents.count {
      let count = contents.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, contents.count - offset) }
      if count >= 0 {
        offset += count
      } else if errno != EINTR {
        failed = true
      }
    }
    guard !failed, fsync(descriptor) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(path)
      throw MediaError(.io, operation, path: path, reason: reason)
    }
    syncFolder(of: path)
  }

  /// Reads a secret file.
  ///
  /// Throws `refused` when it is a link, not a regular file, owned by another user than this process's or root, or
  /// open to group or others; `missing` when there is none; `configuration` when it is longer than `maximumByteCount`
  /// (default 64 KiB).
  public static func read(_ path: String, maximumByteCount: Int = 65_536) throws(MediaError) -> SecretBytes {
    let operation = "cannot read \(path)"
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw MediaError(.missing, operation, path: path, reason: "there is no such file")
      case ELOOP: throw MediaError(.refused, operation, path: path, reason: "it is a symbolic link", advice: "name the file itself")
      case EMFILE, ENFILE:
        throw MediaError(.retryLater, operation, path: path, reason: String(cString: strerror(errno)), advice: MediaError.openFilesAdvice)
      default: throw MediaError(.refused, operation, path: path, reason: String(cString: strerror(errno)))
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw MediaError(.refused, operation, path: path, reason: "it is not a regular file")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw MediaError(
        .refused, operation, path: path, reason: "user \(status.st_uid) owns it, this process runs as \(geteuid())",
        advice: "chown it, or use a copy of your own")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw MediaError(
        .refused, operation, path: path, reason: "others can read or write it (mode \(String(status.st_mode & 0o7777, radix: 8)))",
        advice: "chmod 600 \(path)")
    }
    return try readAll(descriptor, operation: operation, path: path, maximumByteCount: maximumByteCount)
  }

  private static func readAll(
    _ descriptor: Int32, operation: String, path: String, maximumByteCount: Int
  ) throws(MediaError) -> SecretBytes {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    defer {
      SecretBytes.wipe(&bytes)
      SecretBytes.wipe(&buffer)
    }
    // Reserved once, so that growing leaves no copies of the secret in freed memory.
    bytes.reserveCapacity(maximumByteCount + 4096)
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw MediaError(.io, operation, path: path, reason: String(cString: strerror(errno)))
      }
      if count == 0 { return SecretBytes(bytes) }
      bytes.append(contentsOf: buffer[0..<count])
      guard bytes.count <= maximumByteCount else {
        throw MediaError(.configuration, operation, path: path, reason: "a secret file has at most \(maximumByteCount) bytes")
      }
    }
  }

  private static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
