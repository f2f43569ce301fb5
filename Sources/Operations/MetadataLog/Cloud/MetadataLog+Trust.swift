public import Crypto
internal import Storage
public import Transfer

extension MetadataLog {
  /// The public keys of the licence server that `reel` was told to trust. An embedder that gates something passes its
  /// own keys to `Licence` instead: these can be changed by whoever owns the store.
  public func trustedLicenceKeys() throws -> [Ed25519.VerifyingKey] {
    let text = try database.read { try $0.state("licence_keys") } ?? ""
    return text.split(separator: " ").compactMap { Hex.decode($0).flatMap { Ed25519.VerifyingKey(bytes: $0) } }
  }

  /// Replaces the trusted keys of the licence server.
  public func trustLicenceKeys(_ keys: [Ed25519.VerifyingKey]) throws {
    let text = keys.map { Hex.encode($0.bytes) }.joined(separator: " ")
    try database.write { try self.keys.setState("licence_keys", text, in: $0) }
  }

  /// The PEM file of certificate authorities that servers of the registered destinations are verified against; nil: the
  /// system's.
  public func certificateAuthorities() throws -> String? { try database.read { try $0.state("authorities") } }

  /// Sets the PEM file of certificate authorities; nil: the system's.
  public func setCertificateAuthorities(_ path: String?) throws {
    try database.write { try keys.setState("authorities", path, in: $0) }
  }

  /// A client for the registered destinations. They were named by the user, so addresses of a private network may be
  /// connected to; http without TLS still only on this machine.
  public func makeClient() throws -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.addresses = .any
    configuration.certificateAuthorities = try certificateAuthorities()
    return try HTTPClient(configuration)
  }
}
