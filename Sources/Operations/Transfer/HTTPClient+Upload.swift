internal import Glibc
public import MediaCore

extension HTTPClient {
  /// Sends an open file's first `byteCount` bytes by PUT, to a presigned URL for instance.
  ///
  /// Repeats after a lost connection, a 429 or a 5xx: PUT to one URL may be repeated. The file's own offset stays.
  /// Throws `incomplete` when the file ends early.
  /// - Parameters:
  ///   - contentType: default `"application/octet-stream"`; part of what some signatures cover.
  ///   - attempts: default 5. pauseSeconds: the first pause between them, default 0.5.
  public func upload(
    _ descriptor: Int32, byteCount: Int64, to url: TransferURL, contentType: String = "application/octet-stream",
    fields: [HTTPField] = [], attempts: Int = 5, pauseSeconds: Double = 0.5, cancellation: Cancellation? = nil
  ) throws(TransferError) {
    let operation = "cannot upload to \(url.host)"
    let request = HTTPRequest("PUT", url, fields: [HTTPField("Content-Type", contentType)] + fields)
    var pauses = Backoff(firstSeconds: pauseSeconds)
    for attempt in 1... {
      let source = FileBody(descriptor, byteCount: byteCount)
      do throws(TransferError) {
        let response = try exchange(
          request, operation: operation, streamLimit: 1 << 20, source: source, cancellation: cancellation, receive: { _, _ in true },
          onRedirect: {},
          onAbort: { source.endedEarly ? TransferError(.incomplete, operation, reason: "the file ends before \(byteCount) bytes") : nil })
        if (200...299).contains(response.status) { return }
        throw TransferError(response, operation: operation)
      } catch {
        guard error.isRetriable, attempt < attempts else { throw error }
        try pauses.wait(atLeastSeconds: error.retryAfterSeconds, operation: operation, cancellation: cancellation)
      }
    }
  }
}

/// The first bytes of an open file.
private final class FileBody: BodySource {
  private let descriptor: Int32
  let byteCount: Int64
  private var position: Int64 = 0
  private(set) var endedEarly = false

  init(_ descriptor: Int32, byteCount: Int64) {
    self.descriptor = descriptor
    self.byteCount = byteCount
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let wanted = Int(min(Int64(buffer.count), byteCount - position))
    guard wanted > 0 else { return 0 }
    while true {
      let count = pread(descriptor, buffer.baseAddress, wanted, off_t(position))
      if count < 0, errno == EINTR { continue }
      if count <= 0 {
        endedEarly = count == 0
        return -1
      }
      position += Int64(count)
      return count
    }
  }

  func rewind() { position = 0 }
}
