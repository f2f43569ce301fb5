import Glibc
public import MediaCore

extension InputFile {
  /// The whole file, for the small ones that people write: documents, captions, fonts. Safe to call from any thread.
  ///
  /// - Parameter maximum: the most bytes that make sense.
  /// - Throws: `refused` above `maximum`, `incomplete` when the file has shrunk since it was opened, `io` when reading fails.
  public func contents(atMost maximum: Int) throws(MediaError) -> [UInt8] {
    let operation = "cannot read \(displayName)"
    guard snapshot.byteCount <= Int64(maximum) else {
      throw MediaError(
        .refused, operation, path: displayName, reason: "it is larger than \(maximum >> 20) MiB", advice: "is it the right file?")
    }
    let (bytes, failure) = descriptor.read(at: 0, count: Int(snapshot.byteCount))
    guard failure == 0 else { throw MediaError(.io, operation, path: displayName, reason: String(cString: strerror(failure))) }
    guard bytes.count == Int(snapshot.byteCount) else {
      throw MediaError(.incomplete, operation, path: displayName, reason: "it ends before its size")
    }
    return bytes
  }
}
