import Glibc

/// An open file descriptor that closes when its last reference goes away.
///
/// Safe to share: the number never changes, and positioned reads and writes do not touch a shared offset.
public final class Descriptor: Sendable {
  public let rawValue: Int32

  /// Takes ownership of `rawValue`.
  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }
}

extension Descriptor {
  /// The bytes at a place of the file: fewer than `count` at its end, and where reading fails. Safe to call from any thread.
  public func bytes(at offset: Int64, count: Int) -> [UInt8] { read(at: offset, count: count).bytes }

  /// The same, with the error number that reading ended with, 0 for none.
  func read(at offset: Int64, count: Int) -> (bytes: [UInt8], error: Int32) {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, done in
      while done < count {
        let got = pread(rawValue, buffer.baseAddress! + done, count - done, off_t(offset) + off_t(done))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { break }
        done += got
      }
    }
    return (bytes, failure)
  }
}
