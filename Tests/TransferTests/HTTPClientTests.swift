import Crypto
import Glibc
import LoopbackServer
import MediaCore
import Testing

@testable import Transfer

struct HTTPClientTests {
  private func client(_ server: LoopbackServer, _ change: (inout HTTPClient.Configuration) -> Void = { _ in }) throws -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.addresses = .globalAndLoopback
    configuration.certificateAuthorities = server.certificateAuthorities
    change(&configuration)
    return try HTTPClient(configuration)
  }

  private func error(_ body: () throws(TransferError) -> Void) -> TransferError? {
    do {
      try body()
      return nil
    } catch { return error }
  }

  private func content(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 % 65536) * 31 + (($0 % 65536) >> 8) * 7) }
  }

  @Test("an interrupted download goes on where it broke and is whole")
  func download() throws {
    let server = try LoopbackServer("transfer_server.py", "tls")
    let client = try client(server)
    let file = try ScratchFile()
    var options = DownloadOptions()
    options.pauseSeconds = 0.01
    options.expected = SHA256.digest(of: content(300_000))
    for (path, resumptions) in [("/file/300000", 0), ("/torn/300000/3", 3)] {
      let download = try client.download(try TransferURL(server.url(path)), to: file.descriptor, options: options)
      #expect(download.byteCount == 300_000)
      #expect(download.resumptions == resumptions)
      #expect(file.bytes() == content(300_000))
    }
    // Without a validator the server's parts cannot be joined: it begins again.
    _ = try client.download(try TransferURL(server.url("/noetag/300000")), to: file.descriptor, options: options)
    #expect(file.bytes() == content(300_000))
    // A second version must not be joined to the first one's beginning.
    options.expected = SHA256.digest(of: Array(content(300_000).reversed()))
    _ = try client.download(try TransferURL(server.url("/changing/300000")), to: file.descriptor, options: options)
    #expect(file.bytes() == content(300_000).reversed())
  }

  @Test("answers and their codes")
  func statuses() throws {
    let server = try LoopbackServer("transfer_server.py")
    let client = try client(server)
    let file = try ScratchFile()
    var options = DownloadOptions()
    options.pauseSeconds = 0.001
    func code(_ path: String) -> TransferError.Code? {
      error { () throws(TransferError) in _ = try client.download(try TransferURL(server.url(path)), to: file.descriptor, options: options)
      }?.code
    }
    #expect(code("/status/404") == .missing)
    #expect(code("/status/410") == .missing)
    #expect(code("/status/403") == .refused)
    #expect(code("/status/418") == .rejected)
    #expect(code("/status/503?Retry-After=0") == .retryLater)
    #expect(code("/flaky/2") == nil)
    #expect(code("/redirect/same") == nil)
    #expect(code("/redirect/loop") == .rejected)
    #expect(code("/redirect/file") == .usage)
    #expect(code("/endless/404") == .missing)
    let other = error { () throws(TransferError) in
      _ = try client.download(try TransferURL(server.url("/redirect/other")), to: file.descriptor)
    }
    #expect(other?.code == .refused)
    options.expected = SHA256.digest(of: "something else")
    #expect(code("/file/10") == .damaged)
  }

  @Test("more than the limit is never stored")
  func limits() throws {
    let server = try LoopbackServer("transfer_server.py")
    let client = try client(server) { $0.responseBytes = 100_000 }
    let file = try ScratchFile()
    var options = DownloadOptions()
    options.maximumByteCount = 200_000
    for path in ["/endless/200", "/huge", "/file/200001"] {
      let found = error { () throws(TransferError) in
        _ = try client.download(try TransferURL(server.url(path)), to: file.descriptor, options: options)
      }
      #expect(found?.code == .tooLarge)
      #expect(file.bytes().count <= 200_000)
    }
    let found = error { () throws(TransferError) in _ = try client.send(HTTPRequest("GET", try TransferURL(server.url("/endless/200")))) }
    #expect(found?.code == .tooLarge)
  }

  @Test("time-outs and cancellation")
  func slow() throws {
    let server = try LoopbackServer("transfer_server.py")
    let url = try TransferURL(server.url("/slow"))
    let hasty = try client(server) { $0.timeoutSeconds = 0.2 }
    #expect(error { () throws(TransferError) in _ = try hasty.send(HTTPRequest("GET", url)) }?.code == .retryLater)
    let patient = try client(server)
    let cancellation = Cancellation()
    cancellation.cancel()
    let cancelled = error { () throws(TransferError) in _ = try patient.send(HTTPRequest("GET", url), cancellation: cancellation) }
    #expect(cancelled?.code == .cancelled)
    let closed = try TransferURL("http://127.0.0.1:1/")
    #expect(error { () throws(TransferError) in _ = try patient.send(HTTPRequest("GET", closed)) }?.code == .retryLater)
  }

  @Test("certificates and host names are verified")
  func certificates() throws {
    let good = try LoopbackServer("transfer_server.py", "tls")
    let url = try TransferURL(good.url("/file/3"))
    let unknown = try client(good) { $0.certificateAuthorities = nil }
    #expect(error { () throws(TransferError) in _ = try unknown.send(HTTPRequest("GET", url)) }?.code == .refused)
    let missing = try client(good) { $0.certificateAuthorities = "/nonexistent.pem" }
    #expect(error { () throws(TransferError) in _ = try missing.send(HTTPRequest("GET", url)) }?.code == .configuration)
    let wrong = try LoopbackServer("transfer_server.py", "tls", "wrong-name")
    let wrongURL = try TransferURL(wrong.url("/file/3"))
    do {
      _ = try client(wrong).send(HTTPRequest("GET", wrongURL))
      Issue.record("a certificate for another host was accepted")
    } catch let found as TransferError { #expect(found.code == .refused) }
    let pinned = try client(good) { $0.pinnedAddresses = ["media.example:\(good.port)": "127.0.0.1"] }
    #expect(try pinned.send(HTTPRequest("GET", try TransferURL(good.url("/file/3", host: "media.example")))).body == content(3))
  }

  @Test("addresses are judged when they are connected to, also under a pinned name")
  func addresses() throws {
    let server = try LoopbackServer("transfer_server.py")
    let strict = try client(server) {
      $0.addresses = .global
      $0.pinnedAddresses = ["media.example:\(server.port)": "127.0.0.1"]
    }
    for host in ["127.0.0.1", "localhost", "media.example", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
      let found = error { () throws(TransferError) in
        _ = try strict.send(HTTPRequest("GET", try TransferURL(server.url("/file/1", host: host))))
      }
      #expect(found?.code == .refused, "\(host)")
    }
    let metadata = error { () throws(TransferError) in _ = try strict.send(HTTPRequest("GET", try TransferURL("https://169.254.169.254/")))
    }
    #expect(metadata?.code == .refused)
    // http without TLS is for this machine, whatever addresses are allowed.
    let lenient = try client(server) {
      $0.addresses = .any
      $0.pinnedAddresses = ["media.example:\(server.port)": "10.1.2.3"]
      $0.connectSeconds = 0.5
    }
    let plain = error { () throws(TransferError) in
      _ = try lenient.send(HTTPRequest("GET", try TransferURL(server.url("/file/1", host: "media.example"))))
    }
    #expect(plain?.code == .refused)
    #expect(try lenient.send(HTTPRequest("GET", try TransferURL(server.url("/file/1")))).status == 200)
  }

  @Test("an upload is repeated until it is stored, and short files are refused")
  func upload() throws {
    let server = try LoopbackServer("transfer_server.py", "tls")
    let client = try client(server)
    let file = try ScratchFile(content(300_000))
    try client.upload(
      file.descriptor, byteCount: 300_000, to: try TransferURL(server.url("/flaky/2/one?X-Signature=hunter2")), contentType: "video/mp4",
      pauseSeconds: 0.001)
    let stored = String(decoding: try client.send(HTTPRequest("GET", try TransferURL(server.url("/stored/one")))).body, as: UTF8.self)
    #expect(stored.contains(SHA256.digest(of: content(300_000)).hex))
    #expect(stored.contains("video/mp4") && stored.contains("\"puts\": 3"))
    let url = try TransferURL(server.url("/put/two?X-Signature=hunter2"))
    let short = error { () throws(TransferError) in try client.upload(file.descriptor, byteCount: 300_001, to: url, pauseSeconds: 0.001) }
    #expect(short?.code == .incomplete)
    let denied = try TransferURL(server.url("/denied/secretpath?X-Signature=hunter2"))
    let found = error { () throws(TransferError) in try client.upload(file.descriptor, byteCount: 3, to: denied) }
    #expect(found?.code == .refused)
    for text in ["\(try #require(found))", "\(denied)", String(reflecting: denied)] {
      #expect(!text.contains("hunter2") && !text.contains("secretpath"))
    }
  }

  @Test("POST follows no redirect that would change it")
  func post() throws {
    let server = try LoopbackServer("transfer_server.py")
    let client = try client(server)
    let found = error { () throws(TransferError) in
      _ = try client.send(HTTPRequest("POST", try TransferURL(server.url("/redirect")), body: [1]))
    }
    #expect(found?.code == .refused)
    let response = try client.send(HTTPRequest("POST", try TransferURL(server.url("/redirect307")), body: Array("again".utf8)))
    #expect(String(decoding: response.body, as: UTF8.self).contains(Base64.encode(Array("again".utf8))))
    let injected = error { () throws(TransferError) in
      _ = try client.send(HTTPRequest("GET", try TransferURL(server.url("/file/1")), fields: [HTTPField("X", "a\r\nY: b")]))
    }
    #expect(injected?.code == .usage)
  }
}
