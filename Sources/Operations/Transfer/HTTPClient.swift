internal import CCurl
internal import CCurlShims
public import MediaCore
internal import Synchronization

/// Requests over HTTPS by libcurl, with limits.
///
/// Certificates and host names are always verified; there is no switch to turn that off. Proxies of the environment
/// are not used, cookies are not kept, and redirects are followed only to the same origin. A client keeps its
/// connections and serves one request at a time; calls from several threads queue up. All calls block.
public final class HTTPClient: Sendable {
  /// Every default stated.
  public struct Configuration: Sendable {
    /// Which addresses may be connected to. Default `.global`.
    public var addresses: AddressPolicy = .global
    /// Whether http without TLS may be spoken to hosts other than this machine. Default false. To this machine
    /// (127.0.0.0/8, ::1) it always may, when `addresses` allows connecting there.
    public var allowsPlainHTTP = false
    /// A PEM file of certificate authorities to trust instead of the system's. Default nil.
    public var certificateAuthorities: String?
    /// Addresses to use for `"host:port"` instead of asking the resolver; judged by `addresses` as well. Default none.
    public var pinnedAddresses: [String: String] = [:]
    /// Seconds for connecting. Default 10.
    public var connectSeconds: Double = 10
    /// Seconds for a whole request of `send`, and between two signs of life of a download or an upload. Default 30.
    public var timeoutSeconds: Double = 30
    /// Redirects followed at most. Default 5.
    public var redirects = 5
    /// Bytes of a body kept in memory at most; a longer answer throws `tooLarge`. Default 1 MiB.
    public var responseBytes = 1 << 20
    /// The `User-Agent` field. Default `"reelwright"`: no version, no host.
    public var userAgent = "reelwright"

    public init() {}
  }

  public let configuration: Configuration
  private let handle: Mutex<CurlHandle>

  public init(_ configuration: Configuration = Configuration()) throws(TransferError) {
    self.configuration = configuration
    handle = Mutex(try CurlHandle())
  }

  /// Sends a request with its body and returns the answer, whatever its status.
  ///
  /// Redirects of GET and HEAD, and 307 and 308 of other methods, are followed to the same origin; to any other they
  /// throw `refused`. Throws `retryLater` when no whole answer came.
  public func send(_ request: HTTPRequest, cancellation: Cancellation? = nil) throws(TransferError) -> HTTPResponse {
    var body: [UInt8] = []
    let limit = configuration.responseBytes
    let operation = "cannot \(request.method) to \(request.url.host)"
    var isTooLong = false
    var response = try exchange(
      request, operation: operation, streamLimit: nil, source: nil, cancellation: cancellation
    ) { _, bytes in
      guard body.count + bytes.count <= limit else {
        isTooLong = true
        return false
      }
      body.append(contentsOf: bytes)
      return true
    } onRedirect: {
      body = []
    } onAbort: {
      isTooLong ? TransferError(.tooLarge, operation, reason: "the answer is longer than \(limit) bytes") : nil
    }
    response.body = body
    return response
  }

  /// One request with the redirects that are allowed.
  func exchange(
    _ request: HTTPRequest, operation: String, streamLimit: Int64?, source: (any BodySource)?, cancellation: Cancellation?,
    receive: @escaping (HTTPResponse, UnsafeRawBufferPointer) -> Bool, onRedirect: () -> Void, onAbort: () -> TransferError?
  ) throws(TransferError) -> HTTPResponse {
    var request = request
    var redirects = 0
    while true {
      let exchange = Exchange(
        configuration: configuration, request: request, operation: operation, streamLimit: streamLimit, source: source,
        cancellation: cancellation, receive: receive)
      let outcome: Result<HTTPResponse, TransferError> = handle.withLock { handle in
        do throws(TransferError) { return .success(try exchange.perform(on: handle.pointer)) } catch { return .failure(error) }
      }
      let response: HTTPResponse
      switch outcome {
      case .success(let value): response = value
      case .failure(let error): throw onAbort() ?? error
      }
      guard let next = try redirect(of: request, response, operation: operation) else { return response }
      redirects += 1
      guard redirects <= configuration.redirects else {
        throw TransferError(.rejected, operation, reason: "it redirects more than \(configuration.redirects) times")
      }
      onRedirect()
      request = next
    }
  }

  private func redirect(
    of request: HTTPRequest, _ response: HTTPResponse, operation: String
  ) throws(TransferError) -> HTTPRequest? {
    guard [301, 302, 303, 307, 308].contains(response.status), let location = response["location"] else { return nil }
    let isRead = request.method == "GET" || request.method == "HEAD"
    guard isRead || response.status >= 307 else {
      throw TransferError(.refused, operation, reason: "it answers \(request.method) with a redirect \(response.status)")
    }
    let target = try request.url.resolving(location)
    guard target.origin == request.url.origin else {
      throw TransferError(
        .refused, operation, reason: "it redirects to another host, \(target.host)", advice: "use that host's URL if you trust it",
        status: response.status)
    }
    var next = request
    next.url = target
    return next
  }
}

/// A libcurl handle with its kept connections; closed with its owner.
struct CurlHandle: ~Copyable, @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer

  /// libcurl's one-time set-up; a constant, so that the runtime runs it once.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init() throws(TransferError) {
    guard Self.isReady, let made = curl_easy_init() else {
      throw TransferError(.io, "cannot start libcurl", reason: "out of memory")
    }
    pointer = made
  }

  deinit { curl_easy_cleanup(pointer) }
}
