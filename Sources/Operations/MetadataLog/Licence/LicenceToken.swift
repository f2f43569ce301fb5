public import Crypto
internal import FoundationEssentials

/// What a licence server signs: readable offline, bound to a device, with an end and a time of grace.
///
/// On the wire and at rest it is `BASE64URL(payload).BASE64URL(signature)`: the payload is this struct in JSON, the
/// signature Ed25519 over `"reelwright-licence-v1."` and the first part.
public struct LicenceToken: Hashable, Sendable, Codable {
  /// The licence's opaque id.
  public var licence: String
  /// The device that it is bound to: `Licence.deviceIdentifier`.
  public var device: String
  public var tier: String
  /// What it entitles to, beside the tier.
  public var features: [String]
  /// Amounts a calendar month by name, `"mediaSeconds"` for instance; a name that is missing is not limited.
  public var quota: [String: Int64]
  /// Seconds since 1970.
  public var issued: Int64
  /// Seconds since 1970; validated against the server before, if it can be reached.
  public var expires: Int64
  /// For how many seconds after `expires` it is still good while no server can be reached.
  public var graceSeconds: Int64

  /// The token of a text that was signed by one of `keys`; nil when it is malformed or signed by nobody of them.
  public init?(_ text: String, keys: [Ed25519.VerifyingKey]) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard text.utf8.count <= 16_384, parts.count == 2, let payload = Base64.decode(parts[0], .url),
      let signature = Base64.decode(parts[1], .url)
    else { return nil }
    let message = Self.signed(parts[0])
    guard keys.contains(where: { $0.isValid(signature, for: message) }),
      let token = try? JSONDecoder().decode(LicenceToken.self, from: Data(payload)), token.isWellFormed
    else { return nil }
    self = token
  }

  private var isWellFormed: Bool {
    EventFieldType.isIdentifier(licence) && EventFieldType.isIdentifier(tier) && issued >= 0 && expires >= issued && graceSeconds >= 0
      && expires <= 1 << 40 && graceSeconds <= 1 << 32
  }

  private static func signed(_ payload: Substring) -> [UInt8] { Array("reelwright-licence-v1.\(payload)".utf8) }
}
