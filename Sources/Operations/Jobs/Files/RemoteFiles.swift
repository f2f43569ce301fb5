import Crypto
import FileAccess
import MediaCore
public import Transfer

/// Files of jobs that are not on this machine: inputs by `https://…`, fetched into a cache, and outputs by presigned URL, sent by PUT.
///
/// A location may name its content's hash in its fragment, `https://host/clip.mp4#sha256=…`: then it is fetched once however
/// often it is used, and other content is refused. A URL's path and query are secrets: messages, sidecars and events name
/// the host only. Safe to use from any thread.
public struct RemoteFiles: Sendable {
  private let cache: InputCache
  private let client: HTTPClient.Configuration

  /// - Parameter client: which addresses may be reached, and how. Default: global addresses, https only.
  public init(cache: InputCache, client: HTTPClient.Configuration = HTTPClient.Configuration()) {
    self.cache = cache
    self.client = client
  }

  static func isRemote(_ location: String) -> Bool { location.hasPrefix("https://") || location.hasPrefix("http://") }

  /// What may be shown of a location: a path whole, of a URL scheme and host.
  public static func display(_ location: String) -> String {
    guard isRemote(location) else { return location }
    return (try? parse(location).url).map { "\($0)" } ?? "https://…"
  }

  /// - Throws: `usage` for what is no URL, or has a fragment that is no hash.
  static func parse(_ location: String) throws(TransferError) -> (url: TransferURL, digest: SHA256Digest?) {
    guard let mark = location.firstIndex(of: "#") else { return (try TransferURL(location), nil) }
    let fragment = location[location.index(after: mark)...]
    guard fragment.hasPrefix("sha256="), let digest = SHA256Digest(hex: fragment.dropFirst("sha256=".count)) else {
      throw TransferError(
        .usage, "cannot use the URL", reason: "its fragment is not a hash", advice: "#sha256= and 64 hexadecimal digits, or nothing")
    }
    return (try TransferURL(String(location[..<mark])), digest)
  }

  func fetch(_ location: String, cancellation: Cancellation) throws(TransferError) -> InputFile {
    let (url, digest) = try RemoteFiles.parse(location)
    // A client serves one request at a time; jobs fetch side by side.
    let entry = try cache.input(from: url, digest: digest, client: HTTPClient(client), cancellation: cancellation)
    guard let snapshot = FileSnapshot(of: entry.descriptor.rawValue) else {
      throw TransferError(.io, "cannot fetch from \(url.host)", reason: "its copy in the cache cannot be read")
    }
    return InputFile(descriptor: entry.descriptor, displayName: "\(url)", snapshot: snapshot)
  }

  func send(_ file: Descriptor, byteCount: Int64, to location: String, cancellation: Cancellation) throws(TransferError) {
    let url = try RemoteFiles.parse(location).url
    try HTTPClient(client).upload(file.rawValue, byteCount: byteCount, to: url, cancellation: cancellation)
  }
}

extension JobSpec {
  /// The specification without the secrets of its URLs: for everything that is shown or written down.
  public var shown: JobSpec {
    var copy = self
    copy.inputs = inputs.mapValues(RemoteFiles.display)
    copy.outputs = outputs.mapValues(RemoteFiles.display)
    return copy
  }
}
