/// Reads big-endian bit fields. Past the end every bit is zero and `isExhausted` becomes true.
struct BitReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isExhausted: Bool { position > bytes.count * 8 }

  mutating func bit() -> Bool { bits(1) != 0 }

  mutating func bits(_ count: Int) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      let byte = position >> 3
      let bit: UInt8 = byte < bytes.count ? (bytes[byte] >> UInt8(7 - position & 7)) & 1 : 0
      value = value << 1 | UInt32(bit)
      position += 1
    }
    return value
  }

  mutating func skip(_ count: Int) { position += count }

  /// The unsigned variable-length code of AV1 (section 4.10.3).
  mutating func uvlc() -> UInt32 {
    var zeros = 0
    while !isExhausted && !bit() { zeros += 1 }
    return zeros >= 32 ? .max : bits(zeros) + (1 << UInt32(zeros) - 1)
  }
}
