import Crypto
import Testing

@testable import Transfer

/// RFC 9421 appendix B.
struct MessageSignatureTests {
  private typealias Component = MessageSignature.Component

  private func request() throws -> MessageSignature.Message {
    MessageSignature.Message(
      method: "POST", url: try TransferURL("https://example.com/foo?param=Value&Pet=dog"),
      fields: [
        HTTPField("Host", "example.com"), HTTPField("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        HTTPField("Content-Type", "application/json"),
        HTTPField("Content-Digest", "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"),
        HTTPField("Content-Length", "18"),
      ])
  }

  private func parameters(_ key: String, nonce: String? = nil, tag: String? = nil) -> MessageSignature.Parameters {
    var parameters = MessageSignature.Parameters()
    parameters.created = 1_618_884_473
    parameters.keyIdentifier = key
    parameters.nonce = nonce
    parameters.tag = tag
    return parameters
  }

  @Test("B.2.1: minimal, RSA-PSS")
  func minimal() throws {
    let base = try MessageSignature.base([], of: try request(), parameters("test-key-rsa-pss", nonce: "b3k2pp5k7z-50gnwp.yemd"))
    #expect(
      base == #""@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#)
  }

  @Test("B.2.2: selected components, RSA-PSS")
  func selected() throws {
    let components = [
      Component("@authority"), Component("content-digest"), Component("@query-param", parameters: [HTTPField("name", "Pet")]),
    ]
    #expect(
      try MessageSignature.base(components, of: try request(), parameters("test-key-rsa-pss", tag: "header-example")) == #"""
        "@authority": example.com
        "content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
        "@query-param";name="Pet": dog
        "@signature-params": ("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"
        """#)
  }

  @Test("B.2.3: full coverage, RSA-PSS")
  func full() throws {
    let components = ["date", "@method", "@path", "@query", "@authority", "content-type", "content-digest", "content-length"]
    #expect(
      try MessageSignature.base(components.map { Component($0) }, of: try request(), parameters("test-key-rsa-pss")) == #"""
        "date": Tue, 20 Apr 2021 02:07:55 GMT
        "@method": POST
        "@path": /foo
        "@query": ?param=Value&Pet=dog
        "@authority": example.com
        "content-type": application/json
        "content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
        "content-length": 18
        "@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"
        """#)
  }

  @Test("B.2.4: a response, ECDSA")
  func response() throws {
    let digest =
      "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
    let message = MessageSignature.Message(
      method: "GET", url: try TransferURL("https://example.com/"), status: 200,
      fields: [HTTPField("Content-Type", "application/json"), HTTPField("Content-Digest", digest), HTTPField("Content-Length", "23")])
    let components = ["@status", "content-type", "content-digest", "content-length"].map { Component($0) }
    #expect(
      try MessageSignature.base(components, of: message, parameters("test-key-ecc-p256")) == """
        "@status": 200
        "content-type": application/json
        "content-digest": \(digest)
        "content-length": 23
        "@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"
        """)
  }

  @Test("B.2.5: shared secret, end to end")
  func shared() throws {
    let base = try MessageSignature.base(
      ["date", "@authority", "content-type"].map { Component($0) }, of: try request(), parameters("test-shared-secret"))
    let key = try #require(Base64.decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="))
    #expect(
      Base64.encode(HMACSHA256.code(for: Array(base.utf8), key: SecretBytes(key))) == "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=")
  }

  @Test("B.2.6: Ed25519, end to end")
  func ed25519() throws {
    // The last 32 bytes of the PKCS #8 key are the seed.
    let pkcs8 = try #require(Base64.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"))
    let key = try #require(Ed25519.SigningKey(seed: SecretBytes(Array(pkcs8.suffix(32)))))
    let base = try MessageSignature.base(
      ["date", "@method", "@path", "@authority", "content-type", "content-length"].map { Component($0) }, of: try request(),
      parameters("test-key-ed25519"))
    #expect(
      Base64.encode(key.signature(for: Array(base.utf8)))
        == "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")
  }

  @Test("values of a field are joined and trimmed; what is missing or doubled cannot be signed")
  func fields() throws {
    var message = try request()
    message.fields += [HTTPField("X-List", "  a "), HTTPField("x-list", "b")]
    #expect(
      try MessageSignature.base([Component("x-list")], of: message, .init()) == "\"x-list\": a, b\n\"@signature-params\": (\"x-list\")")
    #expect(throws: TransferError.self) { try MessageSignature.base([Component("x-none")], of: message, .init()) }
    #expect(throws: TransferError.self) { try MessageSignature.base([Component("date"), Component("date")], of: message, .init()) }
    message.url = try TransferURL("https://example.com/?a=1&a=2")
    let doubled = Component("@query-param", parameters: [HTTPField("name", "a")])
    #expect(throws: TransferError.self) { try MessageSignature.base([doubled], of: message, .init()) }
    #expect(MessageSignature.quoted(#"a"b\c"#) == #""a\"b\\c""#)
  }

  @Test("RFC 9530 appendix: digest of the example body")
  func digest() {
    #expect(MessageSignature.contentDigest(Array(#"{"hello": "world"}"#.utf8)) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:")
  }
}
