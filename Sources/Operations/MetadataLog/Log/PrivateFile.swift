internal import Crypto
internal import Glibc

/// A new file with mode 0600, written in pieces and hashed on the way; never replaces.
final class PrivateFile {
  private let descriptor: Int32
  private let path: String
  private var buffer: [UInt8] = []
  private(set) var byteCount: Int64 = 0
  private var hash = SHA256()

  init(_ path: String) throws(MetadataLogError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let isTaken = errno == EEXIST
      throw MetadataLogError(
        isTaken ? .exists : .io, "cannot write \(path)", reason: String(cString: strerror(errno)),
        advice: isTaken ? "export into a new folder" : nil)
    }
    fchmod(descriptor, 0o600)
  }

  deinit { close(descriptor) }

  func write(_ text: String) throws(MetadataLogError) { try write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) throws(MetadataLogError) {
    buffer += bytes
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Makes the file durable; returns its hash. The file cannot be written afterwards.
  func finish() throws(MetadataLogError) -> SHA256Digest {
    try flush()
    guard fsync(descriptor) == 0 else { throw failure() }
    var last = SHA256()
    swap(&last, &hash)
    return last.finish()
  }

  /// Writes what is buffered; not durable yet.
  func flush() throws(MetadataLogError) {
    var offset = 0
    while offset < buffer.count {
      let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + offset, buffer.count - offset) }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      offset += count
    }
    hash.update(buffer)
    byteCount += Int64(buffer.count)
    buffer = []
  }

  private func failure() -> MetadataLogError {
    MetadataLogError(.io, "cannot write \(path)", reason: String(cString: strerror(errno)))
  }

  /// The whole of a file; throws `missing`, `io`, or `usage` beyond `maximumByteCount`.
  static func read(_ path: String, maximumByteCount: Int = 1 << 30) throws(MetadataLogError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw MetadataLogError(errno == ENOENT ? .missing : .io, "cannot read \(path)", reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = portion.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw MetadataLogError(.io, "cannot read \(path)", reason: String(cString: strerror(errno)))
      }
      if count == 0 { return bytes }
      bytes += portion[0..<count]
      guard bytes.count <= maximumByteCount else {
        throw MetadataLogError(.usage, "cannot read \(path)", reason: "it is longer than \(maximumByteCount) bytes")
      }
    }
  }
}
