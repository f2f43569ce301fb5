internal import CCurl

/// An absolute http or https URL, taken apart by libcurl's parser: what is judged is what is connected to.
///
/// Its description shows the host only, because path and query of a presigned URL are a secret.
public struct TransferURL: Hashable, Sendable {
  /// `"https"` or `"http"`.
  public let scheme: String
  /// Lower case, without brackets; punycode stays as written.
  public let host: String
  public let port: Int
  /// Starts with `/`, percent-encoded as given.
  public let path: String
  /// Without the question mark; nil when there is none.
  public let query: String?

  /// Throws `usage` for another scheme, user information, a missing host, or anything that libcurl cannot parse.
  public init(_ text: String) throws(TransferError) {
    func refuse(_ reason: String) -> TransferError {
      TransferError(.usage, "cannot use the URL", reason: reason, advice: "give an absolute https:// URL")
    }
    guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw refuse("it has spaces or control characters, or is longer than 8192 bytes")
    }
    guard let handle = curl_url() else { throw refuse("out of memory") }
    defer { curl_url_cleanup(handle) }
    let status = text.withCString { curl_url_set(handle, CURLUPART_URL, $0, 0) }
    guard status == CURLUE_OK else { throw refuse("it is malformed") }
    func part(_ name: CURLUPart, _ flags: UInt32 = 0) -> String? {
      var value: UnsafeMutablePointer<CChar>?
      guard curl_url_get(handle, name, &value, flags) == CURLUE_OK, let value else { return nil }
      defer { curl_free(value) }
      return String(cString: value)
    }
    guard let scheme = part(CURLUPART_SCHEME)?.lowercased(), scheme == "https" || scheme == "http" else {
      throw refuse("its scheme is neither https nor http")
    }
    guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else { throw refuse("it has user information in it") }
    guard let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty else { throw refuse("it has no host") }
    self.scheme = scheme
    self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    port = part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap { Int($0) } ?? (scheme == "https" ? 443 : 80)
    path = part(CURLUPART_PATH) ?? "/"
    query = part(CURLUPART_QUERY)
  }

  /// Host, with the port unless it is the scheme's own: the `Host` field and RFC 9421's `@authority`.
  public var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// `scheme://authority`.
  public var origin: String { "\(scheme)://\(authority)" }

  /// The whole URL, secrets included: for the wire and for storage under seal, never for messages.
  public var exposed: String { origin + path + (query.map { "?\($0)" } ?? "") }

  /// The URL that `reference` names seen from this one, for redirects.
  func resolving(_ reference: String) throws(TransferError) -> TransferURL {
    guard let handle = curl_url() else { throw TransferError(.io, "cannot follow a redirect", reason: "out of memory") }
    defer { curl_url_cleanup(handle) }
    var text: UnsafeMutablePointer<CChar>?
    let base = exposed.withCString { curl_url_set(handle, CURLUPART_URL, $0, 0) }
    let joined = reference.withCString { curl_url_set(handle, CURLUPART_URL, $0, 0) }
    guard base == CURLUE_OK, joined == CURLUE_OK, curl_url_get(handle, CURLUPART_URL, &text, 0) == CURLUE_OK, let text else {
      throw TransferError(.rejected, "cannot follow a redirect of \(host)", reason: "its Location is malformed")
    }
    defer { curl_free(text) }
    return try TransferURL(String(cString: text))
  }
}

extension TransferURL: CustomStringConvertible, CustomReflectable {
  public var description: String { "\(origin)/…" }
  public var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }
}
