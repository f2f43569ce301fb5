public import Crypto
internal import FoundationEssentials
internal import Glibc
internal import Storage
internal import Transfer

/// The licence of this installation: activated and validated by an API, good offline, bound to the device.
///
/// It gates nothing by itself: an embedder asks `status()` or `require(_:)` where it wants to. The latest time ever seen
/// stands in the database under an authentication code, so that setting the clock back gains nothing.
public struct Licence: Sendable {
  private let log: MetadataLog
  private let keys: [Ed25519.VerifyingKey]
  private let device: String

  /// A clock that is wrong by less than this is not held against anyone: five minutes.
  static let clockToleranceSeconds: Int64 = 300

  /// - Parameters:
  ///   - keys: the public keys of the licence server, the present one and its successor.
  ///   - device: default this machine's.
  public init(_ log: MetadataLog, trusting keys: [Ed25519.VerifyingKey], device: String? = nil) {
    self.log = log
    self.keys = keys
    self.device = device ?? Self.deviceIdentifier
  }

  /// A hash that stands for this machine and nothing else does: of `/etc/machine-id`, which does not leave it.
  public static var deviceIdentifier: String {
    let descriptor = open("/etc/machine-id", O_RDONLY | O_CLOEXEC)
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = descriptor >= 0 ? read(descriptor, &bytes, bytes.count) : 0
    if descriptor >= 0 { close(descriptor) }
    return String(SHA256.digest(of: Array("reelwright device|".utf8) + bytes.prefix(max(0, count))).hex.prefix(32))
  }

  /// The token on this machine, checked for its signature only.
  public func token() throws -> LicenceToken? { try stored().flatMap { LicenceToken($0, keys: keys) } }

  /// What the licence is worth now, without any network. Notes the time, so that it cannot go back.
  public func status() throws -> LicenceStatus {
    let now = log.now().quotientFloor(1_000_000)
    let rolledBack = try noteTime(now)
    let isDeactivated = try log.database.read { try $0.state("licence_deactivated") } == "yes"
    if isDeactivated { return .deactivated }
    guard let text = try stored() else { return .missing }
    guard let token = LicenceToken(text, keys: keys) else { return .forged }
    guard token.device == device else { return .otherDevice }
    // A token from the future means the same as a time that was seen before: the clock is behind.
    guard !rolledBack, now >= token.issued - Self.clockToleranceSeconds else { return .clockRolledBack }
    if now < token.expires { return .valid }
    return now < token.expires + token.graceSeconds ? .grace(until: token.expires + token.graceSeconds) : .expired
  }

  /// Throws `refused` unless the licence is good and, when named, has the feature and quota left. The refusal is logged.
  ///
  /// - Parameters:
  ///   - feature: default nil: any good licence.
  ///   - quota: a name of the token's quota and the amount used this month; beyond the quota it is refused.
  public func require(feature: String? = nil, quota: (name: String, used: Int64)? = nil) throws {
    let status = try status()
    let token = try token()
    var refusal: (code: String, reason: String, advice: String)?
    if !status.isGood {
      refusal = (status == .missing ? "missing" : status.name, Self.reason(status), "run reel licence status")
    } else if let feature, !(token?.features.contains(feature) ?? false) {
      refusal = ("entitlementMissing", "it does not include \(feature)", "ask for an upgrade")
    } else if let quota, let limit = token?.quota[quota.name], quota.used > limit {
      refusal = (
        "entitlementMissing", "this month's \(quota.name) are used up (\(quota.used) of \(limit))",
        "wait for the next month, or ask for an upgrade"
      )
    }
    guard let refusal else { return }
    var event = LogEvent(.licenceRefused, [.code: .text(refusal.code)])
    if let token { event.fields[.licence] = .text(token.licence) }
    if let feature, EventFieldType.isIdentifier(feature) { event.fields[.feature] = .text(feature) }
    try log.append(event)
    throw MetadataLogError(.refused, "the licence does not allow this", reason: refusal.reason, advice: refusal.advice)
  }

  private static func reason(_ status: LicenceStatus) -> String {
    switch status {
    case .valid, .grace: "it is good"
    case .expired: "it has expired"
    case .otherDevice: "it belongs to another device"
    case .forged: "it is not signed by the licence server"
    case .clockRolledBack: "the clock was set back"
    case .deactivated: "it was given back"
    case .missing: "there is none on this machine"
    }
  }

  /// Gets a licence for this device with a key that the user bought. Throws `refused` when the server says no.
  public func activate(key: String, transport: any ReportTransport) throws -> LicenceToken {
    let token = try call("activate", ["key": key, "device": device, "installation": log.installation], transport)
    try store(token.text, isDeactivated: false, event: "valid", token: token.token)
    return token.token
  }

  /// Asks the server for a fresh token. A server that cannot be reached is no failure: the token on this machine then
  /// counts, with its grace. A licence that the server has revoked becomes `deactivated`.
  public func validate(transport: any ReportTransport) throws -> LicenceStatus {
    guard let text = try stored(), LicenceToken(text, keys: keys) != nil else { return try status() }
    do {
      let fresh = try call("validate", ["token": text, "device": device], transport)
      try store(fresh.text, isDeactivated: false, event: nil, token: fresh.token)
    } catch let error as MetadataLogError where error.code == .refused {
      try store(nil, isDeactivated: true, event: "deactivated", token: LicenceToken(text, keys: keys))
    } catch let error as MetadataLogError where error.code == .retryLater {}
    return try status()
  }

  /// Gives the licence back, so that another device can have it. Needs the server: throws `retryLater` without it.
  public func deactivate(transport: any ReportTransport) throws {
    guard let text = try stored() else {
      throw MetadataLogError(.missing, "cannot deactivate the licence", reason: "there is none on this machine")
    }
    let request = try request("deactivate", ["token": text, "device": device])
    let status = try send(request, transport).status
    guard (200...299).contains(status) || status == 410 else {
      throw MetadataLogError(
        status >= 500 || status == 429 ? .retryLater : .refused, "cannot deactivate the licence", reason: "the server answers \(status)")
    }
    try store(nil, isDeactivated: true, event: "deactivated", token: LicenceToken(text, keys: keys))
  }

  private func stored() throws -> String? {
    guard let sealed = try log.database.read({ try $0.state("licence") }).flatMap({ Base64.decode($0) }) else { return nil }
    return (try? SealedPayload.open(sealed, key: sealingKey)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private var sealingKey: SecretBytes { log.master.derived("reelwright licence seal 1") }

  private func store(_ text: String?, isDeactivated: Bool, event: String?, token: LicenceToken?) throws {
    let sealed = text.map { Base64.encode(SealedPayload.seal(Array($0.utf8), key: sealingKey)) }
    try log.database.write { transaction in
      try log.keys.setState("licence", sealed, in: transaction)
      try log.keys.setState("licence_deactivated", isDeactivated ? "yes" : nil, in: transaction)
      if let event, let token {
        try log.append(
          LogEvent(.licenceChanged, [.licence: .text(token.licence), .code: .text(event), .tier: .text(token.tier)]), in: transaction)
      }
    }
  }

  /// Notes the latest time and returns whether `now` is before it.
  private func noteTime(_ now: Int64) throws -> Bool {
    func mac(_ time: Int64) -> String { Hex.encode(log.keys.mac("licence time", time.bigEndianBytes)) }
    let text = try log.database.read { try $0.state("licence_time") }
    var latest: Int64 = 0
    if let text {
      let parts = text.split(separator: " ")
      // A record that was changed counts as a clock that was set back: both hide the same thing.
      guard parts.count == 2, let time = Int64(parts[0]), constantTimeEquals(Array(parts[1].utf8), Array(mac(time).utf8)) else {
        return true
      }
      latest = time
    }
    if now > latest + 60 || text == nil {
      try log.database.write(.crashSafe) { try log.keys.setState("licence_time", "\(now) \(mac(now))", in: $0) }
    }
    return now < latest - Self.clockToleranceSeconds
  }

  private func request(_ call: String, _ members: [String: String]) throws -> HTTPRequest {
    let destination = try log.destination(.licence)
    let body = JSONText.object(members.map { ($0.key, .text($0.value)) })
    var request = HTTPRequest(
      "POST", try destination.url("/v1/licences/\(call)"), fields: [HTTPField("Content-Type", "application/json")], body: Array(body.utf8))
    try MessageSignature.sign(
      &request, key: log.signingKey, keyIdentifier: log.installation, created: log.now().quotientFloor(1_000_000))
    return request
  }

  private func send(_ request: HTTPRequest, _ transport: any ReportTransport) throws -> HTTPResponse {
    do throws(TransferError) { return try transport.send(request) } catch {
      throw MetadataLogError(
        error.isRetriable ? .retryLater : .configuration, "cannot reach the licence server", reason: error.reason, advice: error.advice)
    }
  }

  private func call(_ name: String, _ members: [String: String], _ transport: any ReportTransport) throws -> (
    text: String, token: LicenceToken
  ) {
    struct Answer: Decodable { var token: String }
    let response = try send(try request(name, members), transport)
    let operation = "cannot \(name) the licence"
    switch response.status {
    case 200...299: break
    case 408, 429, 500...599:
      throw MetadataLogError(.retryLater, operation, reason: "the server answers \(response.status)", advice: "try again later")
    default:
      throw MetadataLogError(
        .refused, operation, reason: "the server refuses with status \(response.status)", advice: "check the key and the number of devices")
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)), let token = LicenceToken(answer.token, keys: keys)
    else {
      throw MetadataLogError(.damaged, operation, reason: "the answer is not signed by the licence server")
    }
    guard token.device == device else { throw MetadataLogError(.damaged, operation, reason: "the answer is for another device") }
    return (answer.token, token)
  }
}
