import Testing

@testable import Transfer

struct TransferURLTests {
  @Test func parts() throws {
    let url = try TransferURL("HTTPS://Media.Example:8443/a%20b/c?X=1&y=2#fragment")
    #expect(url.scheme == "https" && url.host == "media.example" && url.port == 8443)
    #expect(url.path == "/a%20b/c" && url.query == "X=1&y=2")
    #expect(url.exposed == "https://media.example:8443/a%20b/c?X=1&y=2")
    #expect(try TransferURL("https://h:443").authority == "h")
    #expect(try TransferURL("http://h:443").authority == "h:443")
    #expect(try TransferURL("https://[2001:db8::1]/x").authority == "[2001:db8::1]")
    #expect(try TransferURL("https://h/a/b?q").resolving("../c").exposed == "https://h/c")
  }

  @Test(
    "refused",
    arguments: [
      "", "media.example", "/etc/passwd", "file:///etc/passwd", "ftp://h/", "gopher://h/", "https://user:pass@h/", "https://user@h/",
      "https://h/a b", "https://h/\r\nHost: x", "https://h:99999/", "https://" + String(repeating: "a", count: 9000),
    ])
  func refused(text: String) {
    #expect(throws: TransferError.self) { try TransferURL(text) }
  }

  @Test(
    "kinds of addresses",
    arguments: [
      ("8.8.8.8", AddressKind.global), ("127.0.0.1", .loopback), ("127.255.255.254", .loopback), ("10.0.0.1", .local),
      ("172.16.0.1", .local), ("172.31.255.255", .local), ("172.32.0.1", .global), ("192.168.1.1", .local), ("169.254.169.254", .local),
      ("100.64.0.1", .local), ("100.128.0.1", .global), ("0.0.0.0", .unusable), ("224.0.0.1", .unusable), ("255.255.255.255", .unusable),
      ("198.18.0.1", .unusable), ("192.0.2.1", .unusable), ("203.0.113.9", .unusable),
    ])
  func ipv4(text: String, kind: AddressKind) {
    let number = text.split(separator: ".").reduce(UInt32(0)) { $0 << 8 | UInt32($1)! }
    #expect(AddressKind(ipv4: number) == kind)
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
    // The same judgement when it hides in an IPv6 address.
    let zeros = [UInt8](repeating: 0, count: 10)
    #expect(AddressKind(ipv6: zeros + [0xFF, 0xFF] + bytes) == kind)
    #expect(AddressKind(ipv6: [0, 0x64, 0xFF, 0x9B] + zeros.prefix(8) + bytes) == kind)
    #expect(AddressKind(ipv6: [0x20, 0x02] + bytes + zeros) == kind)
  }

  @Test func ipv6() {
    func kind(_ head: [UInt8], _ last: UInt8 = 1) -> AddressKind {
      AddressKind(ipv6: head + [UInt8](repeating: 0, count: 15 - head.count) + [last])
    }
    #expect(kind([]) == .loopback)
    #expect(kind([], 0) == .unusable)
    #expect(kind([0xFE, 0x80]) == .local)
    #expect(kind([0xFE, 0xC0]) == .local)
    #expect(kind([0xFD, 0]) == .local)
    #expect(kind([0xFF, 0x02]) == .unusable)
    #expect(kind([0x20, 0x01, 0x0D, 0xB8]) == .unusable)
    #expect(kind([0x2A, 0]) == .global)
    #expect(AddressPolicy.any.allows(.local) && !AddressPolicy.any.allows(.unusable))
    #expect(AddressPolicy.globalAndLoopback.allows(.loopback) && !AddressPolicy.globalAndLoopback.allows(.local))
  }

  @Test func retryAfter() {
    func wait(_ value: String) -> Double? {
      HTTPResponse(status: 429, fields: [HTTPField("retry-after", value)], body: []).retryAfterSeconds(now: 784_111_770)
    }
    #expect(wait("7") == 7)
    #expect(wait("Sun, 06 Nov 1994 08:49:37 GMT") == 7)
    #expect(wait("Sun, 06 Nov 1994 08:49:00 GMT") == 0)
    #expect(wait("99999999") == 86_400)
    #expect(wait("-1") == nil)
    #expect(wait("soon") == nil)
  }
}
