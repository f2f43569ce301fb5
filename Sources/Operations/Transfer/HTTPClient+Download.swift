public import Crypto
internal import Glibc
public import MediaCore

/// What a download has to keep to. Every default stated.
public struct DownloadOptions: Sendable {
  /// Bytes at most; longer content throws `tooLarge` before it is stored. Default 64 GiB.
  public var maximumByteCount: Int64 = 64 << 30
  /// The content's hash, when it is known: other content throws `damaged`. Default nil.
  public var expected: SHA256Digest?
  /// How often to begin or go on after a lost connection, a 429 or a 5xx. Default 5.
  public var attempts = 5
  /// The first pause between attempts in seconds; doubles, with full jitter. Default 0.5.
  public var pauseSeconds: Double = 0.5
  /// Fields to send: authorization, for instance. Default none.
  public var fields: [HTTPField] = []

  public init() {}
}

/// What was fetched.
public struct Download: Sendable {
  public var byteCount: Int64
  public var digest: SHA256Digest
  /// The server's strong validator, for asking later whether it changed.
  public var entityTag: String?
  /// How often a transfer was taken up again where it broke.
  public var resumptions: Int
}

extension HTTPClient {
  /// Fetches `url` into an open file from offset 0, going on after interruptions with ranges where the server can.
  ///
  /// The file is cut to the content's length. A continued transfer is validated with `If-Range`, so that two
  /// versions are never mixed. Statuses: 404 and 410 throw `missing`, 401 and 403 `refused`, 429 and 5xx are retried.
  /// - Parameters:
  ///   - descriptor: open for reading and writing; stays open.
  ///   - progress: bytes stored and bytes announced (nil when the server does not say), on the calling thread.
  public func download(
    _ url: TransferURL, to descriptor: Int32, options: DownloadOptions = DownloadOptions(), cancellation: Cancellation? = nil,
    progress: ((Int64, Int64?) -> Void)? = nil
  ) throws(TransferError) -> Download {
    let operation = "cannot fetch from \(url.host)"
    let state = DownloadState(descriptor: descriptor, operation: operation, options: options, progress: progress)
    var pauses = Backoff(firstSeconds: options.pauseSeconds)
    var resumptions = 0
    for attempt in 1... {
      do throws(TransferError) {
        if try downloadOnce(url, state: state, cancellation: cancellation) { break }
        throw TransferError(.retryLater, operation, reason: "the connection ended after \(state.stored) bytes")
      } catch {
        guard error.isRetriable, attempt < options.attempts else { throw error }
        try pauses.wait(atLeastSeconds: error.retryAfterSeconds, operation: operation, cancellation: cancellation)
        if state.stored > 0 { resumptions += 1 }
      }
    }
    guard ftruncate(descriptor, off_t(state.stored)) == 0 else {
      throw TransferError(.io, operation, reason: String(cString: strerror(errno)))
    }
    let digest: SHA256Digest
    do {
      digest = try SHA256.digest(ofDescriptor: descriptor, byteCount: state.stored, cancellation: cancellation)
    } catch { throw TransferError(error) }
    if let expected = options.expected, expected != digest {
      throw TransferError(
        .damaged, operation, reason: "the content's hash is \(digest), expected \(expected)",
        advice: "it was changed on the way or at its source")
    }
    return Download(byteCount: state.stored, digest: digest, entityTag: state.entityTag, resumptions: resumptions)
  }

  /// One request; true when the content is complete.
  private func downloadOnce(_ url: TransferURL, state: DownloadState, cancellation: Cancellation?) throws(TransferError) -> Bool {
    var fields = state.options.fields
    if state.stored > 0, let tag = state.entityTag {
      fields += [HTTPField("Range", "bytes=\(state.stored)-"), HTTPField("If-Range", tag)]
    } else {
      state.stored = 0
    }
    state.begin()
    let response = try exchange(
      HTTPRequest("GET", url, fields: fields), operation: state.operation, streamLimit: state.options.maximumByteCount, source: nil,
      cancellation: cancellation,
      receive: { response, bytes in state.store(bytes, of: response) }, onRedirect: { state.begin() },
      onAbort: { state.failure })
    switch response.status {
    case 200, 206:
      // An empty body never reaches `store`.
      state.adopt(response)
      if let failure = state.failure { throw failure }
      return state.isComplete
    case 416:
      state.stored = 0
      state.entityTag = nil
      throw TransferError(.retryLater, state.operation, reason: "the content changed while it was fetched", status: 416)
    default: throw TransferError(response, operation: state.operation)
    }
  }
}

/// How far a download is. Used on one thread.
private final class DownloadState {
  let descriptor: Int32
  let operation: String
  let options: DownloadOptions
  let progress: ((Int64, Int64?) -> Void)?
  var stored: Int64 = 0
  var entityTag: String?
  var failure: TransferError?
  private var total: Int64?
  private var isAdopted = false
  private var skipped = 0

  init(descriptor: Int32, operation: String, options: DownloadOptions, progress: ((Int64, Int64?) -> Void)?) {
    self.descriptor = descriptor
    self.operation = operation
    self.options = options
    self.progress = progress
  }

  var isComplete: Bool { total.map { stored == $0 } ?? true }

  func begin() {
    isAdopted = false
    skipped = 0
    failure = nil
  }

  /// Takes position and length from the answer's header, once an answer.
  func adopt(_ response: HTTPResponse) {
    guard !isAdopted else { return }
    isAdopted = true
    if response.status == 206 {
      // Content-Range: bytes 100-199/200
      let parts = (response["content-range"] ?? "").split(whereSeparator: { " -/".contains($0) })
      guard parts.count == 4, parts[0] == "bytes", Int64(parts[1]) == stored, let length = Int64(parts[3]) else {
        failure = TransferError(.incomplete, operation, reason: "the server sent another part than the one that was asked for")
        return
      }
      total = length
    } else {
      stored = 0
      // The length of an encoded body says nothing about the content; none was asked for.
      total = response["content-length"].flatMap { Int64($0) }
      // Weak validators cannot join ranges (RFC 9110 section 13.1.5).
      entityTag = response["etag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
    }
    if let total, total > options.maximumByteCount {
      failure = TransferError(.tooLarge, operation, reason: "\(total) bytes exceed the limit of \(options.maximumByteCount)")
    }
  }

  func store(_ bytes: UnsafeRawBufferPointer, of response: HTTPResponse) -> Bool {
    guard response.status == 200 || response.status == 206 else {
      // The text of an error page is not kept; an endless one is not read either.
      skipped += bytes.count
      if skipped > 1 << 20 { failure = TransferError(response, operation: operation) }
      return failure == nil
    }
    adopt(response)
    if failure == nil, stored + Int64(bytes.count) > options.maximumByteCount {
      failure = TransferError(.tooLarge, operation, reason: "it is longer than the limit of \(options.maximumByteCount) bytes")
    }
    guard failure == nil else { return false }
    var written = 0
    while written < bytes.count {
      let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(stored))
      if count < 0 {
        if errno == EINTR { continue }
        failure = TransferError(.io, operation, reason: String(cString: strerror(errno)))
        return false
      }
      written += count
      stored += Int64(count)
    }
    progress?(stored, total)
    return true
  }
}

extension TransferError {
  /// The error that an answer's status stands for.
  init(_ response: HTTPResponse, operation: String) {
    let wait = response.retryAfterSeconds(now: Double(time(nil)))
    let reason = "the server answers \(response.status)"
    switch response.status {
    case 401, 403: self.init(.refused, operation, reason: reason, advice: "has the permission or the URL expired?", status: response.status)
    case 404, 410: self.init(.missing, operation, reason: reason, status: response.status)
    case 408, 425, 429, 500...599: self.init(.retryLater, operation, reason: reason, status: response.status, retryAfterSeconds: wait)
    default: self.init(.rejected, operation, reason: reason, status: response.status)
    }
  }
}
