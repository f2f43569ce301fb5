import Crypto
import FoundationEssentials
import LoopbackServer
import MetadataLog
import Transfer

/// The hostile receiver of `Tests/Fixtures/hostile_cloud.py` on 127.0.0.1: events by TLS, control by a second port.
final class Receiver {
  enum Fault: String, CaseIterable {
    case serverError, unavailable, tooMany, redirect, certificate, reset, timeOut, timeOutAfterCommit, slow, torn, silent, duplicate
  }

  /// What came, judged by the receiver.
  struct Summary: Decodable {
    var lost: Int
    var repeated: Int
    var foreign: Int
    /// Requests that followed a redirect to another host.
    var otherHost: Int
    var requests: Int
    var bytes: Int
    /// How many requests met each fault.
    var met: [String: Int]
    /// Requests that broke the API's rules, by what was wrong.
    var problems: [String: Int]
    /// Events that PyPI's cloudevents read: the first of each batch.
    var parsed: Int
    /// Requests that libcurl sent a second time by itself; the receiver refuses their nonce.
    var replayed: Int
    /// SHA-256 of each batch that was kept.
    var receipts: [String]
  }

  let client: HTTPClient
  private let server: LoopbackServer
  private let control: HTTPClient
  private let controlURL: String

  /// - Parameter log: its installation's key is told to the receiver, and the receiver's address to it.
  init(_ log: MetadataLog) throws {
    server = try LoopbackServer("hostile_cloud.py")
    var configuration = HTTPClient.Configuration()
    configuration.addresses = .any
    configuration.certificateAuthorities = server.certificateAuthorities
    configuration.timeoutSeconds = 1.5
    client = try HTTPClient(configuration)
    configuration.timeoutSeconds = 600
    configuration.responseBytes = 64 << 20
    control = try HTTPClient(configuration)
    controlURL = "http://127.0.0.1:\(server.announcement[0])/"
    try log.setCertificateAuthorities(server.certificateAuthorities)
    try log.register(TransferURL(server.url("/v1/events")), for: .reporting)
    try set("\"keys\": {\"\(log.installation)\": \"\(Hex.encode(log.verifyingKey))\"}")
  }

  func misbehave(_ fault: Fault?) throws { try set("\"fault\": \(fault.map { "\"\($0.rawValue)\"" } ?? "null")") }

  /// Refuses batches with these events from now on.
  func poison(_ events: Set<Int64>) throws { try set("\"poison\": \(events.sorted())") }

  func summary(_ events: ClosedRange<Int64>) throws -> Summary {
    let url = try TransferURL("\(controlURL)?\(events.lowerBound)-\(events.upperBound)")
    return try JSONDecoder().decode(Summary.self, from: Data(control.send(HTTPRequest("GET", url)).body))
  }

  private func set(_ member: String) throws {
    _ = try control.send(HTTPRequest("POST", TransferURL(controlURL), body: Array("{\(member)}".utf8)))
  }
}
