import Crypto
import DatabaseTestSupport
import FileAccess
import Glibc
import LoopbackServer
import MediaCore
import PositionedJSON
import Testing
import Transfer

@testable import Jobs

/// Jobs whose inputs come by https and whose outputs go to presigned URLs, against a server on loopback.
@Suite struct RemoteJobTests {
  private static let secret = "signature=s3cr3t"

  /// Two outputs, one for each input: its bytes, turned round.
  private static func reversing() -> JobHandlers {
    var handlers = JobHandlers()
    handlers.register("reverse") { context in
      for (input, output) in [("a", "x"), ("b", "y")] {
        let file = try context.files.openInput(input)
        let bytes = file.descriptor.bytes(at: 0, count: Int(file.snapshot.byteCount))
        let made = try context.files.createOutput(output)
        #expect(write(made.descriptor.rawValue, Array(bytes.reversed()), bytes.count) == bytes.count)
      }
      return JobAnswer()
    }
    return handlers
  }

  /// What the server's `/file/N` answers.
  private func content(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 % 65536) * 31 + (($0 % 65536) >> 8) * 7) }
  }

  private func remote(_ fixture: StoreFixture, _ server: LoopbackServer) throws -> RemoteFiles {
    var client = HTTPClient.Configuration()
    client.addresses = .globalAndLoopback
    client.certificateAuthorities = server.certificateAuthorities
    return RemoteFiles(cache: try InputCache(folder: fixture.folder.path + "/inputs"), client: client)
  }

  private func stored(_ name: String, _ server: LoopbackServer) throws -> (sha256: String?, bytes: Int?) {
    var client = HTTPClient.Configuration()
    client.addresses = .globalAndLoopback
    client.certificateAuthorities = server.certificateAuthorities
    let answer = try HTTPClient(client).send(HTTPRequest("GET", TransferURL(server.url("/stored/\(name)"))))
    let members = try JSONParser.parse(answer.body, source: JSONSource("stored")).asObject ?? []
    let member = { (name: String) in members.first { $0.key == name }?.node }
    return (member("sha256")?.asString, member("bytes")?.asNumber.flatMap { Int($0.text) })
  }

  private func spec(_ server: LoopbackServer, _ a: String, to x: String = "/put/x") -> JobSpec {
    var spec = JobSpec(kind: "reverse")
    spec.retry.attempts = 1
    spec.inputs = ["a": server.url(a), "b": server.url("/torn/300000/1?\(RemoteJobTests.secret)")]
    spec.outputs = ["x": server.url("\(x)?\(RemoteJobTests.secret)"), "y": server.url("/flaky/1/y?\(RemoteJobTests.secret)")]
    return spec
  }

  private func run(_ spec: JobSpec, _ fixture: StoreFixture, _ remote: RemoteFiles?) throws -> Job {
    let id = try fixture.store.submit(spec).id
    try fixture.runner(RemoteJobTests.reversing()) { $0.remote = remote }.run(until: .drained)
    return try #require(try fixture.store.job(id))
  }

  @Test(arguments: [false, true]) func inputsAreFetchedAndOutputsSent(_ tls: Bool) throws {
    let fixture = try StoreFixture(.sqlite)
    let server = try tls ? LoopbackServer("transfer_server.py", "tls") : LoopbackServer("transfer_server.py")
    let hash = SHA256.digest(of: content(5000)).hex
    let job = try run(spec(server, "/file/5000#sha256=\(hash)"), fixture, try remote(fixture, server))
    #expect(job.state == .done, "\(job.failure?.message ?? "")")
    for (name, count) in [("x", 5000), ("y", 300_000)] {
      let found = try stored(name, server)
      #expect(found.bytes == count)
      #expect(found.sha256 == SHA256.digest(of: Array(content(count).reversed())).hex)
    }
    // What is written down of the outputs names the host alone.
    let outputs = try fixture.store.outputs(of: job.id)
    #expect(outputs.count == 2 && outputs.allSatisfy { $0.path.contains("127.0.0.1") && !$0.path.contains("put") })
    #expect(!"\(job.spec.shown)".contains("s3cr3t"))
  }

  @Test func otherContentThanNamedIsRefused() throws {
    let fixture = try StoreFixture(.sqlite)
    let server = try LoopbackServer("transfer_server.py")
    let job = try run(spec(server, "/file/5000#sha256=\(SHA256.digest(of: "else").hex)"), fixture, try remote(fixture, server))
    #expect(job.state == .failed)
    #expect(try stored("x", server).bytes == nil)
  }

  @Test(arguments: ["/denied/x", "/status/404"]) func refusedUploadFailsWithoutSecrets(_ place: String) throws {
    let fixture = try StoreFixture(.sqlite)
    let server = try LoopbackServer("transfer_server.py")
    let isUpload = place.hasPrefix("/denied")
    let job = try run(isUpload ? spec(server, "/file/5000", to: place) : spec(server, place), fixture, try remote(fixture, server))
    #expect(job.state == .failed)
    let message = job.failure?.message ?? ""
    #expect(message.contains("127.0.0.1") && !message.contains("s3cr3t") && !message.contains("denied"), "\(message)")
  }

  @Test func workerThatDoesNotFetchSaysSo() throws {
    let fixture = try StoreFixture(.sqlite)
    let server = try LoopbackServer("transfer_server.py")
    let job = try run(spec(server, "/file/5000"), fixture, nil)
    #expect(job.state == .failed && job.failure?.message.contains("does not fetch") == true)
    // Without leave, loopback is out of reach even for one that does.
    let strict = RemoteFiles(cache: try InputCache(folder: fixture.folder.path + "/inputs"))
    let second = try run(spec(server, "/file/5000"), fixture, strict)
    #expect(second.state == .failed)
    #expect(try stored("x", server).bytes == nil)
  }
}
