import Glibc
public import MediaCore

extension OutputFile {
  /// Writes all of `bytes` from the start of the file.
  public func write(_ bytes: [UInt8]) throws(MediaError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { pwrite(descriptor.rawValue, $0.baseAddress! + done, bytes.count - done, off_t(done)) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = errno
        throw MediaError(
          .io, "cannot write \(displayName)", path: displayName, reason: String(cString: strerror(error)),
          advice: error == ENOSPC ? "free some space and try again" : nil)
      }
      done += count
    }
  }
}
