/// Base64 text (RFC 4648), standard or URL alphabet.
public enum Base64 {
  /// Which 64 characters, and whether the end is padded with `=`.
  public enum Alphabet: Sendable {
    /// `+` and `/`, padded (RFC 4648 section 4).
    case standard
    /// `-` and `_`, not padded (RFC 4648 section 5).
    case url
  }

  private static let common = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

  /// The text of `bytes`.
  public static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
    let table = common + (alphabet == .standard ? [UInt8]("+/".utf8) : [UInt8]("-_".utf8))
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
      for position in 0..<(count + 1) { text.append(table[Int(group >> UInt32(18 - 6 * position)) & 63]) }
      if alphabet == .standard {
        for _ in count..<3 { text.append(61) }
      }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of `text`; nil when it has foreign characters, misplaced padding or set bits after the end.
  ///
  /// The standard alphabet demands its padding, the URL alphabet forbids it: every value has one spelling.
  public static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard) -> [UInt8]? {
    var characters = Array(text.utf8)
    if alphabet == .standard {
      guard characters.count % 4 == 0 else { return nil }
      var padding = 0
      while padding < 2, characters.last == 61 {
        characters.removeLast()
        padding += 1
      }
    }
    guard characters.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count * 3 / 4)
    var bits: UInt32 = 0
    var bitCount = 0
    for character in characters {
      let value: UInt32
      switch (character, alphabet) {
      case (65...90, _): value = UInt32(character) - 65
      case (97...122, _): value = UInt32(character) - 71
      case (48...57, _): value = UInt32(character) + 4
      case (43, .standard), (45, .url): value = 62
      case (47, .standard), (95, .url): value = 63
      default: return nil
      }
      bits = (bits << 6 | value) & 0xFFFF
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
      }
    }
    guard bits & ((1 << UInt32(bitCount)) - 1) == 0 else { return nil }
    return bytes
  }
}
