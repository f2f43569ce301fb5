internal import Glibc

/// Which network addresses a client may connect to. Judged on the address itself, at the moment of connecting.
public enum AddressPolicy: Sendable {
  /// Global addresses only: no loopback, private, link-local, shared, multicast, documentation or reserved ones.
  /// The default; what fetching a URL from someone else's job needs.
  case global
  /// Global addresses and this machine.
  case globalAndLoopback
  /// Every unicast address: for a studio's own network.
  case any

  func allows(_ kind: AddressKind) -> Bool {
    switch self {
    case .global: kind == .global
    case .globalAndLoopback: kind == .global || kind == .loopback
    case .any: kind != .unusable
    }
  }
}

/// What an IP address is for (IANA special-purpose registries, RFC 6890).
enum AddressKind: Hashable {
  case global, loopback, local, unusable

  /// The kind of an IPv4 address in host byte order.
  init(ipv4 address: UInt32) {
    func within(_ network: UInt32, _ prefix: UInt32) -> Bool { address >> (32 - prefix) == network >> (32 - prefix) }
    if within(0x7F00_0000, 8) {
      self = .loopback
    } else if within(0x0A00_0000, 8) || within(0xAC10_0000, 12) || within(0xC0A8_0000, 16)  // RFC 1918
      || within(0xA9FE_0000, 16)  // link-local: also the clouds' metadata service
      || within(0x6440_0000, 10)  // shared address space, RFC 6598
    {
      self = .local
    } else if within(0x0000_0000, 8) || within(0xC000_0000, 24) || within(0xC000_0200, 24) || within(0xC612_0000, 15)
      || within(0xC633_6400, 24) || within(0xCB00_7100, 24) || within(0xC058_6300, 24) || address >> 28 >= 0xE
    {
      self = .unusable
    } else {
      self = .global
    }
  }

  /// The kind of an IPv6 address of 16 bytes. Addresses that carry an IPv4 address are judged by it.
  init(ipv6 bytes: [UInt8]) {
    let embedded: (Int) -> UInt32 = { start in bytes[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
    let leading = bytes.prefix { $0 == 0 }.count
    if bytes.dropLast().allSatisfy({ $0 == 0 }) {
      self = bytes[15] == 1 ? .loopback : .unusable
    } else if leading >= 12 || (leading == 10 && bytes[10] == 0xFF && bytes[11] == 0xFF) {
      self.init(ipv4: embedded(12))  // IPv4-compatible and IPv4-mapped
    } else if bytes[0..<12] == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] {
      self.init(ipv4: embedded(12))  // NAT64
    } else if bytes[0] == 0x20, bytes[1] == 0x02 {
      self.init(ipv4: embedded(2))  // 6to4
    } else if bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 >= 0x80) {
      self = .local  // unique local, link-local, site-local
    } else if bytes[0] & 0xE0 != 0x20 || bytes[0..<4] == [0x20, 0x01, 0x0D, 0xB8] || bytes[0..<4] == [0x20, 0x01, 0, 0] {
      self = .unusable  // outside 2000::/3, documentation, Teredo
    } else {
      self = .global
    }
  }

  /// The kind of a socket address; anything but IPv4 and IPv6 is unusable.
  init(_ address: UnsafePointer<sockaddr>) {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let raw = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
      self.init(ipv4: UInt32(bigEndian: raw))
    case AF_INET6:
      let raw = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
      self.init(ipv6: withUnsafeBytes(of: raw) { Array($0) })
    default:
      self = .unusable
    }
  }
}
