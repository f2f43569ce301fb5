internal import CCurl
internal import CCurlShims
internal import Glibc
internal import MediaCore

/// Where the body of a request comes from.
protocol BodySource: AnyObject {
  var byteCount: Int64 { get }
  /// Fills the start of `buffer`; 0 at the end, negative on failure.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int
  func rewind()
}

/// A body in memory.
final class MemoryBody: BodySource {
  private let bytes: [UInt8]
  private var position = 0
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var byteCount: Int64 { Int64(bytes.count) }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    buffer.copyBytes(from: bytes[position..<(position + count)])
    position += count
    return count
  }

  func rewind() { position = 0 }
}

/// One request on the wire and what came back. Lives for one `perform`, on one thread.
final class Exchange {
  private let configuration: HTTPClient.Configuration
  private let request: HTTPRequest
  private let operation: String
  /// What the body may have at most when it is streamed; nil for a body in memory.
  private let streamLimit: Int64?
  private let source: any BodySource
  private let cancellation: Cancellation?
  private let receive: (HTTPResponse, UnsafeRawBufferPointer) -> Bool
  private var response = HTTPResponse(status: 0, fields: [], body: [])
  private var headerBytes = 0
  private var refusedKind: AddressKind?

  init(
    configuration: HTTPClient.Configuration, request: HTTPRequest, operation: String, streamLimit: Int64?, source: (any BodySource)?,
    cancellation: Cancellation?, receive: @escaping (HTTPResponse, UnsafeRawBufferPointer) -> Bool
  ) {
    self.configuration = configuration
    self.request = request
    self.operation = operation
    self.streamLimit = streamLimit
    self.source = source ?? MemoryBody(request.body)
    self.cancellation = cancellation
    self.receive = receive
  }

  func perform(on handle: UnsafeMutableRawPointer) throws(TransferError) -> HTTPResponse {
    if cancellation?.isCancelled ?? false { throw TransferError(.cancelled, operation, reason: "cancelled") }
    for field in request.fields where !Self.isClean(field) {
      throw TransferError(.usage, operation, reason: "the header field \(field.name.prefix(40)) has a character that HTTP forbids")
    }
    curl_easy_reset(handle)
    var fields: UnsafeMutablePointer<curl_slist>?
    // "Expect:" without a value keeps libcurl from waiting for 100 Continue.
    for line in ["Expect:", "User-Agent: \(configuration.userAgent)"] + request.fields.map({ "\($0.name): \($0.value)" }) {
      fields = curl_slist_append(fields, line)
    }
    var pins: UnsafeMutablePointer<curl_slist>?
    for (name, address) in configuration.pinnedAddresses { pins = curl_slist_append(pins, "\(name):\(address)") }
    defer {
      curl_slist_free_all(fields)
      curl_slist_free_all(pins)
    }
    configure(handle, fields: fields, pins: pins)
    let status = withExtendedLifetime(self) {
      var callbacks = Self.callbacks(owner: Unmanaged.passUnretained(self).toOpaque())
      return withUnsafeMutablePointer(to: &callbacks) { pointer in
        reel_curl_install(handle, pointer)
        return curl_easy_perform(handle)
      }
    }
    guard status == CURLE_OK else { throw failure(status) }
    return response
  }

  private static func isClean(_ field: HTTPField) -> Bool {
    !field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
      && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  private func configure(
    _ handle: UnsafeMutableRawPointer, fields: UnsafeMutablePointer<curl_slist>?, pins: UnsafeMutablePointer<curl_slist>?
  ) {
    reel_curl_set_text(handle, CURLOPT_URL, request.url.exposed)
    reel_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    reel_curl_set_text(handle, CURLOPT_PROXY, "")
    reel_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
    reel_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
    reel_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1)
    reel_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2)
    reel_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    reel_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectSeconds * 1000))
    if let streamLimit {
      // libcurl then ends a transfer whose announced length is too large before its first byte.
      reel_curl_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(streamLimit))
      // No bound on the whole: a large file on a slow line is fine as long as something moves.
      reel_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
      reel_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, max(1, Int(configuration.timeoutSeconds.rounded(.up))))
    } else {
      reel_curl_set_long(handle, CURLOPT_TIMEOUT_MS, Int(configuration.timeoutSeconds * 1000))
    }
    if let file = configuration.certificateAuthorities { reel_curl_set_text(handle, CURLOPT_CAINFO, file) }
    if pins != nil { reel_curl_set_list(handle, CURLOPT_RESOLVE, pins) }
    reel_curl_set_list(handle, CURLOPT_HTTPHEADER, fields)
    switch request.method {
    case "GET": reel_curl_set_long(handle, CURLOPT_HTTPGET, 1)
    case "HEAD": reel_curl_set_long(handle, CURLOPT_NOBODY, 1)
    case "PUT":
      reel_curl_set_long(handle, CURLOPT_UPLOAD, 1)
      reel_curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(source.byteCount))
    default:
      reel_curl_set_long(handle, CURLOPT_POST, 1)
      reel_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(source.byteCount))
      reel_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
    }
    source.rewind()
  }

  private static func callbacks(owner: UnsafeMutableRawPointer) -> reel_curl_callbacks {
    reel_curl_callbacks(
      owner: owner,
      receive: { owner, bytes, count in Exchange.from(owner).received(UnsafeRawBufferPointer(start: bytes, count: count)) },
      header: { owner, bytes, count in Exchange.from(owner).headerLine(UnsafeRawBufferPointer(start: bytes, count: count)) },
      send: { owner, bytes, count in
        Exchange.from(owner).source.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: count))
      },
      rewind: { owner in
        Exchange.from(owner).source.rewind()
        return 0
      },
      cancelled: { owner in Exchange.from(owner).cancellation?.isCancelled ?? false ? 1 : 0 },
      allowed: { owner, address in Exchange.from(owner).mayConnect(to: address!) ? 1 : 0 })
  }

  private static func from(_ owner: UnsafeMutableRawPointer?) -> Exchange {
    Unmanaged<Exchange>.fromOpaque(owner!).takeUnretainedValue()
  }

  private func received(_ bytes: UnsafeRawBufferPointer) -> Int { receive(response, bytes) ? bytes.count : -1 }

  private func headerLine(_ bytes: UnsafeRawBufferPointer) {
    headerBytes += bytes.count
    var line = String(decoding: bytes, as: UTF8.self)
    while line.last?.isNewline ?? false { line.removeLast() }
    if line.hasPrefix("HTTP/") {
      // A new header section: the one before was informational.
      response.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      response.fields = []
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      response.fields.append(HTTPField(line[..<colon].lowercased(), String(value)))
    }
  }

  private func mayConnect(to address: UnsafePointer<sockaddr>) -> Bool {
    let kind = AddressKind(address)
    let isAllowed =
      configuration.addresses.allows(kind) && (request.url.scheme == "https" || kind == .loopback || configuration.allowsPlainHTTP)
    if !isAllowed { refusedKind = kind }
    return isAllowed
  }

  private func failure(_ status: CURLcode) -> TransferError {
    let text = String(cString: curl_easy_strerror(status))
    if let refusedKind {
      if configuration.addresses.allows(refusedKind) {
        return TransferError(.refused, operation, reason: "http without TLS is for this machine only", advice: "use https")
      }
      return TransferError(
        .refused, operation, reason: "its address is \(refusedKind == .loopback ? "this machine's own" : "private or special")",
        advice: "allow such addresses only for hosts that you run")
    }
    switch status {
    case CURLE_ABORTED_BY_CALLBACK: return TransferError(.cancelled, operation, reason: "cancelled")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
      return TransferError(.refused, operation, reason: "its certificate cannot be trusted", advice: "check the host name and the clock")
    case CURLE_SSL_CACERT_BADFILE:
      return TransferError(.configuration, operation, reason: "the file of certificate authorities cannot be read")
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT: return TransferError(.usage, operation, reason: text)
    case CURLE_FILESIZE_EXCEEDED:
      return TransferError(.tooLarge, operation, reason: "it is longer than the limit of \(streamLimit ?? 0) bytes")
    case CURLE_WRITE_ERROR: return TransferError(.io, operation, reason: "writing failed")
    default: return TransferError(.retryLater, operation, reason: text, advice: "try again later")
    }
  }
}
