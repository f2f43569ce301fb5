internal import COpenSSL
internal import Glibc
public import MediaCore

/// SHA-256 (FIPS 180-4) of data that arrives in pieces, by libcrypto, which uses the CPU's SHA instructions.
///
/// Not copyable; use it from one thread at a time.
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  /// The state before any byte.
  public init() {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "libcrypto has no SHA-256")
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes in the next bytes.
  public mutating func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { buffer in
      if let base = buffer.baseAddress, !buffer.isEmpty { _ = EVP_DigestUpdate(context, base, buffer.count) }
    }
  }

  /// Takes in the next bytes.
  public mutating func update(_ bytes: [UInt8]) { update(bytes.span.bytes) }

  /// Takes in the UTF-8 bytes of `text`.
  public mutating func update(_ text: some StringProtocol) { update(Array(text.utf8)) }

  /// The digest of everything taken in; ends the computation.
  public consuming func finish() -> SHA256Digest {
    var bytes = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    var count: UInt32 = 0
    let finished = EVP_DigestFinal_ex(context, &bytes, &count)
    precondition(finished == 1 && Int(count) == SHA256Digest.byteCount)
    return SHA256Digest(trusted: bytes)
  }

  /// The digest of `bytes`.
  public static func digest(of bytes: [UInt8]) -> SHA256Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }

  /// The digest of the UTF-8 bytes of `text`.
  public static func digest(of text: some StringProtocol) -> SHA256Digest { digest(of: Array(text.utf8)) }

  /// The digest of an open file from offset 0, by positioned reads of 1 MiB: the file's own offset stays.
  ///
  /// - Parameters:
  ///   - descriptor: open for reading; stays open.
  ///   - byteCount: how many bytes to read. Default nil: to the end. A file that ends earlier throws `incomplete`.
  ///   - name: the file as messages call it.
  ///   - cancellation: looked at once a MiB.
  public static func digest(
    ofDescriptor descriptor: Int32, byteCount: Int64? = nil, name: String = "file", cancellation: Cancellation? = nil
  ) throws(MediaError) -> SHA256Digest {
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset: Int64 = 0
    while byteCount.map({ offset < $0 }) ?? true {
      try cancellation?.check("cannot hash \(name)")
      let wanted = Int(min(Int64(buffer.count), (byteCount ?? .max) - offset))
      let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, wanted, off_t(offset)) }
      if count < 0 {
        if errno == EINTR { continue }
        throw MediaError(.io, "cannot hash \(name)", path: name, reason: String(cString: strerror(errno)))
      }
      if count == 0 {
        guard let byteCount else { break }
        throw MediaError(
          .incomplete, "cannot hash \(name)", path: name, reason: "it ends after \(offset) of \(byteCount) bytes",
          advice: "was it cut while being copied?")
      }
      hash.update(buffer.span.extracting(0..<count).bytes)
      offset += Int64(count)
    }
    return hash.finish()
  }
}
