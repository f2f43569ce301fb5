public import FileAccess
import Glibc
public import MediaCore

/// Writes whole files.
public enum FileWriter {
  /// Writes all bytes from the start of `output`.
  ///
  /// - Throws: `io` with the reason (disk full, I/O error).
  public static func write(_ bytes: [UInt8], to output: OutputFile) throws(MediaError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { pwrite(output.descriptor.rawValue, $0.baseAddress! + done, bytes.count - done, off_t(done)) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        let reason = String(cString: strerror(errno))
        throw MediaError(
          .io, "cannot write \(output.displayName)", path: output.displayName, reason: reason,
          advice: errno == ENOSPC ? "free some space" : nil)
      }
      done += written
    }
  }
}
