/// The parameter sets of an H.264 stream as MP4 and Matroska store them (`avcC`, ISO/IEC 14496-15, 5.3.3.1), and what can be told of
/// packets beside them: all of it without decoding.
public struct H264ParameterSets: Hashable, Sendable {
  /// NAL units without start codes or lengths, by id.
  public private(set) var sequences: [Int: [UInt8]] = [:]
  public private(set) var pictures: [Int: [UInt8]] = [:]

  public init() {}

  /// Reads an `avcC` record; nil when it is none, or packets do not carry lengths of four bytes.
  public init?(record bytes: [UInt8]) {
    guard bytes.count > 6, bytes[0] == 1, bytes[4] & 3 == 3 else { return nil }
    var position = 5
    func units() -> [[UInt8]]? {
      guard position < bytes.count else { return nil }
      let count = Int(position == 5 ? bytes[position] & 31 : bytes[position])
      position += 1
      var result: [[UInt8]] = []
      for _ in 0..<count {
        guard position + 2 <= bytes.count else { return nil }
        let length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
        position += 2
        guard length > 0, position + length <= bytes.count else { return nil }
        result.append(Array(bytes[position..<position + length]))
        position += length
      }
      return result
    }
    guard let sequences = units(), let pictures = units(), !sequences.isEmpty, !pictures.isEmpty else { return nil }
    guard add(sequences + pictures) else { return nil }
  }

  /// Reads NAL units with start codes, as encoders give them; nil when there are no parameter sets among them.
  public init?(annexB bytes: [UInt8]) {
    guard add(H264ParameterSets.units(annexB: bytes)), !sequences.isEmpty, !pictures.isEmpty else { return nil }
  }

  private mutating func add(_ units: [[UInt8]]) -> Bool {
    for unit in units {
      switch unit[0] & 31 {
      case 7:
        // After profile, constraints and level.
        guard let id = ExponentialGolomb.first(in: unit.dropFirst(4)), id < 32 else { return false }
        sequences[id] = unit
      case 8:
        guard let id = ExponentialGolomb.first(in: unit.dropFirst(1)), id < 256 else { return false }
        pictures[id] = unit
      default: continue
      }
    }
    return true
  }

  /// 66 baseline, 77 main, 100 high …: of the first sequence.
  public var profile: UInt8 { sequences.min { $0.key < $1.key }?.value[1] ?? 0 }

  /// Whether no id means different things in both.
  public func agrees(with other: H264ParameterSets) -> Bool {
    sequences.allSatisfy { other.sequences[$0.key] ?? $0.value == $0.value }
      && pictures.allSatisfy { other.pictures[$0.key] ?? $0.value == $0.value }
  }

  /// Both together.
  public func merged(with other: H264ParameterSets) -> H264ParameterSets {
    var result = self
    result.sequences.merge(other.sequences) { own, _ in own }
    result.pictures.merge(other.pictures) { own, _ in own }
    return result
  }

  /// An `avcC` record with all of them. Nil when there are more than it can list.
  public var record: [UInt8]? {
    let (sequences, pictures) = (sequences.sorted { $0.key < $1.key }.map(\.value), pictures.sorted { $0.key < $1.key }.map(\.value))
    guard let first = sequences.first, sequences.count < 32, pictures.count < 256, first.count >= 4 else { return nil }
    // The record names what a decoder must be able to do: the highest of all.
    let profile = sequences.map { $0[1] }.max() ?? first[1]
    let level = sequences.map { $0[3] }.max() ?? first[3]
    var bytes: [UInt8] = [1, profile, profile == first[1] ? first[2] : 0, level, 0xFF, 0xE0 | UInt8(sequences.count)]
    func put(_ unit: [UInt8]) { bytes += [UInt8(unit.count >> 8 & 255), UInt8(unit.count & 255)] + unit }
    sequences.forEach(put)
    bytes.append(UInt8(pictures.count))
    pictures.forEach(put)
    // 4:2:0 with 8 bits; only High and above say so.
    if ![66, 77, 88].contains(profile) { bytes += [0xFD, 0xF8, 0xF8, 0] }
    return bytes
  }

  // MARK: Packets

  /// What kinds of NAL units (7.4.1) a packet with lengths of four bytes has; nil when its lengths are wrong.
  public static func kinds(in packet: Span<UInt8>) -> Set<UInt8>? {
    var kinds: Set<UInt8> = []
    var position = 0
    while position + 4 <= packet.count {
      let length = (0..<4).reduce(0) { $0 << 8 | Int(packet[position + $1]) }
      guard length > 0, position + 4 + length <= packet.count else { return nil }
      kinds.insert(packet[position + 4] & 31)
      position += 4 + length
    }
    return position == packet.count ? kinds : nil
  }

  /// A packet with lengths of four bytes, with these parameter sets before its pictures: after an access unit delimiter, where it has one.
  public func inserted(into packet: Span<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(packet.count + 256)
    func put(_ unit: [UInt8]) {
      for shift in [24, 16, 8, 0] { result.append(UInt8(unit.count >> shift & 255)) }
      result += unit
    }
    var start = 0
    if packet.count > 5, packet[4] & 31 == 9 { start = 4 + (0..<4).reduce(0) { $0 << 8 | Int(packet[$1]) } }
    packet.extracting(..<start).withUnsafeBufferPointer { result.append(contentsOf: $0) }
    for unit in sequences.sorted(by: { $0.key < $1.key }) { put(unit.value) }
    for unit in pictures.sorted(by: { $0.key < $1.key }) { put(unit.value) }
    packet.extracting(start...).withUnsafeBufferPointer { result.append(contentsOf: $0) }
    return result
  }

  /// The same NAL units with lengths of four bytes instead of start codes.
  public static func lengthPrefixed(annexB bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 16)
    for unit in ranges(annexB: bytes) {
      for shift in [24, 16, 8, 0] { result.append(UInt8(unit.count >> shift & 255)) }
      result.append(contentsOf: bytes[unit])
    }
    return result
  }

  private static func units(annexB bytes: [UInt8]) -> [[UInt8]] { ranges(annexB: bytes).map { Array(bytes[$0]) } }

  /// Where the NAL units between start codes are (annex B): a unit ends before the zeros that precede the next start code.
  private static func ranges(annexB bytes: [UInt8]) -> [Range<Int>] {
    bytes.withUnsafeBufferPointer { bytes in
      var result: [Range<Int>] = []
      var start: Int?
      var index = 0
      func close(_ end: Int) {
        guard let start else { return }
        var end = end
        while end > start, bytes[end &- 1] == 0 { end &-= 1 }
        if end > start { result.append(start..<end) }
      }
      while index &+ 2 < bytes.count {
        if bytes[index &+ 2] > 1 {
          index &+= 3
        } else if bytes[index] == 0, bytes[index &+ 1] == 0, bytes[index &+ 2] == 1 {
          close(index)
          start = index &+ 3
          index &+= 3
        } else {
          index &+= 1
        }
      }
      close(bytes.count)
      return result
    }
  }
}

/// Unsigned numbers of variable length (9.1).
enum ExponentialGolomb {
  /// The number that `bytes` (a NAL unit's payload, with emulation prevention) begin with; nil above 2^16.
  static func first(in bytes: ArraySlice<UInt8>) -> Int? {
    var bits: [UInt8] = []
    var zeros = 0
    for byte in bytes.prefix(8) {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      for shift in stride(from: 7, through: 0, by: -1) { bits.append(byte >> UInt8(shift) & 1) }
    }
    guard let leading = bits.firstIndex(of: 1), leading <= 16, 2 * leading + 1 <= bits.count else { return nil }
    return bits[leading...(2 * leading)].reduce(0) { $0 << 1 | Int($1) } - 1
  }
}
