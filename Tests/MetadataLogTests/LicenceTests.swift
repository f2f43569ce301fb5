import Crypto
import DatabaseTestSupport
import FoundationEssentials
import LoopbackServer
import MetadataLog
import Storage
import Testing
import Transfer

struct LicenceTests {
  private let server = Ed25519.SigningKey()
  private let device = "00112233445566778899aabbccddeeff"

  private func token(
    issued: Int64, expires: Int64, grace: Int64 = 3600, device: String? = nil, features: [String] = ["watermark"],
    key: Ed25519.SigningKey? = nil
  ) -> String {
    let payload = """
      {"licence":"lic-1","device":"\(device ?? self.device)","tier":"studio","features":[\(features.map { "\"\($0)\"" }.joined(separator: ","))],\
      "quota":{"mediaSeconds":3600},"issued":\(issued),"expires":\(expires),"graceSeconds":\(grace)}
      """
    let first = Base64.encode(Array(payload.utf8), .url)
    let signature = (key ?? server).signature(for: Array("reelwright-licence-v1.\(first)".utf8))
    return first + "." + Base64.encode(signature, .url)
  }

  /// A server that answers every call with one status and one token.
  private struct Answering: ReportTransport {
    var status = 200
    var token = ""
    var isOffline = false

    func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse {
      if isOffline { throw TransferError(.retryLater, "cannot POST", reason: "no route") }
      return HTTPResponse(status: status, fields: [], body: Array("{\"token\":\"\(token)\"}".utf8))
    }
  }

  private func fixture() throws -> (LogFixture, Licence, Int64) {
    let fixture = try LogFixture()
    try fixture.log.register(TransferURL("https://licence.example"), for: .licence)
    return (fixture, Licence(fixture.log, trusting: [server.verifyingKey], device: device), fixture.clock.microseconds() / 1_000_000)
  }

  @Test("valid, in grace, expired")
  func life() throws {
    let (fixture, licence, now) = try fixture()
    #expect(try licence.status() == .missing)
    let token = try licence.activate(key: "KEY-1", transport: Answering(token: token(issued: now, expires: now + 1000)))
    #expect(token.licence == "lic-1" && token.tier == "studio")
    #expect(try licence.status() == .valid)
    fixture.clock.advance(seconds: 999)
    #expect(try licence.status() == .valid)
    fixture.clock.advance(seconds: 1)
    #expect(try licence.status() == .grace(until: now + 4600))
    fixture.clock.advance(seconds: 3599)
    #expect(try licence.status().isGood)
    fixture.clock.advance(seconds: 1)
    #expect(try licence.status() == .expired)
    #expect(throws: MetadataLogError.self) { try licence.require() }
  }

  @Test("another device's, a stranger's, a changed one")
  func foreign() throws {
    let (fixture, licence, now) = try fixture()
    for bad in [
      token(issued: now, expires: now + 1000, device: "ffff2233445566778899aabbccddeeff"),
      token(issued: now, expires: now + 1000, key: Ed25519.SigningKey()), "", "x.y",
      String(token(issued: now, expires: now + 1000).dropLast()),
      token(issued: now, expires: now - 1),
    ] {
      let error = #expect(throws: MetadataLogError.self) { try licence.activate(key: "KEY-1", transport: Answering(token: bad)) }
      #expect(error?.code == .damaged)
    }
    #expect(try licence.status() == .missing)
    // A good licence that is carried to another device with the whole store.
    _ = try licence.activate(key: "KEY-1", transport: Answering(token: token(issued: now, expires: now + 1000)))
    #expect(try Licence(fixture.log, trusting: [server.verifyingKey], device: "elsewhere").status() == .otherDevice)
    // A server key that is not trusted.
    #expect(try Licence(fixture.log, trusting: [Ed25519.SigningKey().verifyingKey], device: device).status() == .forged)
    // A successor key beside the present one.
    #expect(
      try Licence(fixture.log, trusting: [Ed25519.SigningKey().verifyingKey, server.verifyingKey], device: device).status() == .valid)
    // Every bit of the stored licence matters.
    let rows = try fixture.database.read { try $0.query("SELECT value FROM log_state WHERE name = 'licence'") }
    var bytes = try #require(rows.first?.text(0).flatMap { Base64.decode($0) })
    bytes[bytes.count / 2] ^= 1
    let changed = Base64.encode(bytes)
    _ = try fixture.database.write { try $0.execute("UPDATE log_state SET value = $1 WHERE name = 'licence'", [.text(changed)]) }
    #expect(try licence.status() == .forged)
  }

  @Test("a clock that was set back")
  func rollBack() throws {
    let (fixture, licence, now) = try fixture()
    _ = try licence.activate(key: "KEY-1", transport: Answering(token: token(issued: now, expires: now + 86_400)))
    fixture.clock.advance(seconds: 80_000)
    #expect(try licence.status() == .valid)
    fixture.clock.advance(seconds: -200)
    #expect(try licence.status() == .valid)
    fixture.clock.advance(seconds: -70_000)
    #expect(try licence.status() == .clockRolledBack)
    // Also when the record of the latest time was changed or the clock is before the token's issue.
    _ = try fixture.database.write { try $0.execute("UPDATE log_state SET value = '0 00' WHERE name = 'licence_time'") }
    #expect(try licence.status() == .clockRolledBack)
    _ = try fixture.database.write { try $0.execute("DELETE FROM log_state WHERE name = 'licence_time'") }
    fixture.clock.advance(seconds: -20_000)
    #expect(try licence.status() == .clockRolledBack)
    fixture.clock.advance(seconds: 95_000)
    // Put right again, it is good.
    #expect(try licence.status() == .valid)
  }

  @Test("offline, renewed, revoked, given back")
  func renewal() throws {
    let (fixture, licence, now) = try fixture()
    let first = Answering(token: token(issued: now, expires: now + 1000))
    _ = try licence.activate(key: "KEY-1", transport: first)
    fixture.clock.advance(seconds: 1500)
    #expect(try licence.validate(transport: Answering(isOffline: true)) == .grace(until: now + 4600))
    #expect(try licence.validate(transport: Answering(status: 503)) == .grace(until: now + 4600))
    #expect(try licence.validate(transport: Answering(token: token(issued: now + 1500, expires: now + 9000))) == .valid)
    let offline = #expect(throws: MetadataLogError.self) { try licence.deactivate(transport: Answering(isOffline: true)) }
    #expect(offline?.code == .retryLater && offline?.exitStatus == 75)
    #expect(try licence.status() == .valid)
    #expect(try licence.validate(transport: Answering(status: 410)) == .deactivated)
    _ = try licence.activate(key: "KEY-1", transport: Answering(token: token(issued: now + 1500, expires: now + 9000)))
    #expect(try licence.status() == .valid)
    try licence.deactivate(transport: Answering(status: 204))
    #expect(try licence.status() == .deactivated)
    #expect(throws: MetadataLogError.self) { try licence.deactivate(transport: Answering()) }
    for (status, code) in [(403, MetadataLogError.Code.refused), (409, .refused), (500, .retryLater), (429, .retryLater)] {
      let error = #expect(throws: MetadataLogError.self) { try licence.activate(key: "KEY-1", transport: Answering(status: status)) }
      #expect(error?.code == code)
    }
    let kinds = try fixture.log.entries().filter { $0.event.kind == .licenceChanged }.compactMap { $0.event.fields[.code] }
    #expect(kinds == ["valid", "deactivated", "valid", "deactivated"])
  }

  @Test("entitlements and quota, when an embedder asks; refusals are logged")
  func entitlements() throws {
    let (fixture, licence, now) = try fixture()
    let missing = #expect(throws: MetadataLogError.self) { try licence.require() }
    #expect(missing?.exitStatus == 77)
    _ = try licence.activate(key: "KEY-1", transport: Answering(token: token(issued: now, expires: now + 1000)))
    try licence.require()
    try licence.require(feature: "watermark", quota: ("mediaSeconds", 3600))
    try licence.require(quota: ("frames", 1 << 40))
    #expect(throws: MetadataLogError.self) { try licence.require(feature: "variants") }
    #expect(throws: MetadataLogError.self) { try licence.require(quota: ("mediaSeconds", 3601)) }
    let codes = try fixture.log.entries().filter { $0.event.kind == .licenceRefused }.compactMap { $0.event.fields[.code] }
    #expect(codes == ["missing", "entitlementMissing", "entitlementMissing"])
  }

  @Test("the reference server, over TLS: seats, revocation, giving back", .enabled(if: Python.has("cryptography")))
  func reference() throws {
    let reference = try LoopbackServer("reference_cloud.py")
    let bytes = try #require(reference.announcement.first.flatMap { Hex.decode($0) })
    let key = try #require(Ed25519.VerifyingKey(bytes: bytes))
    func installation() throws -> (LogFixture, HTTPClient) {
      let database = try LogFixture()
      try database.log.setCertificateAuthorities(reference.certificateAuthorities)
      try database.log.register(TransferURL(reference.url("")), for: .licence)
      return (database, try database.log.makeClient())
    }
    let (first, client) = try installation()
    let (second, _) = try installation()
    func control(_ json: String) throws {
      _ = try client.send(HTTPRequest("POST", TransferURL(reference.url("/control")), body: Array(json.utf8)))
    }
    try control(
      """
      {"anyTime": true, "keys": {"\(first.log.installation)": "\(Hex.encode(first.log.verifyingKey))",
       "\(second.log.installation)": "\(Hex.encode(second.log.verifyingKey))"}}
      """)
    // The reference server stamps real times.
    let one = Licence(try MetadataLog(database: first.database, masterKey: first.key), trusting: [key], device: device)
    let two = Licence(try MetadataLog(database: second.database, masterKey: second.key), trusting: [key], device: String(device.reversed()))
    #expect(try one.activate(key: "KEY-42", transport: client).licence == "lic-42")
    #expect(try one.status() == .valid)
    let full = #expect(throws: MetadataLogError.self) { try two.activate(key: "KEY-42", transport: client) }
    #expect(full?.code == .refused)
    #expect(throws: MetadataLogError.self) { try one.activate(key: "nonsense", transport: client) }
    try one.deactivate(transport: client)
    #expect(try two.activate(key: "KEY-42", transport: client).device == String(device.reversed()))
    #expect(try two.validate(transport: client) == .valid)
    try control("{\"revoked\": [\"lic-42\"]}")
    #expect(try two.validate(transport: client) == .deactivated)
  }

  @Test("the published API has every path that is called, and parses (Python)")
  func openAPI() throws {
    let path = LoopbackServer.fixtures + "/../../Documentation/cloud-api.openapi.json"
    let script = """
      import json, sys
      document = json.load(open(sys.argv[1]))
      print(*sorted(document["paths"]))
      def references(value):
          if isinstance(value, dict):
              for name, inner in value.items():
                  if name == "$ref":
                      yield inner
                  else:
                      yield from references(inner)
          elif isinstance(value, list):
              for inner in value:
                  yield from references(inner)
      for reference in references(document):
          place = document
          for part in reference.removeprefix("#/").split("/"):
              place = place[part]
      """
    #expect(try Python.run(script, path) == "/v1/events /v1/licences/activate /v1/licences/deactivate /v1/licences/validate\n")
  }
}
