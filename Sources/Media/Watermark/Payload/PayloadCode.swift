internal import CKernels

/// A word of the polar code of length 512.
struct CodeWord: Hashable, Sendable {
  /// Bit i is bit i % 64 of word i / 64.
  var words: [UInt64]

  subscript(index: Int) -> Bool { words[index >> 6] >> UInt64(index & 63) & 1 == 1 }
}

/// 64 payload bits and their CRC-16 in a polar code (512, 80).
///
/// The information set holds the 80 positions of greatest polarisation weight Σ bit_j · 2^(j/4) (He et al., "β-expansion:
/// a theoretical framework for fast and recursive construction of polar codes", 2017), in natural order. The message,
/// first the payload and then the CRC (polynomial 0x1021, initial value 0xFFFF, no reflection), most significant bit
/// first, fills them in ascending order. Decoding is CRC-aided successive-cancellation list decoding (Tal and Vardy,
/// "List Decoding of Polar Codes", 2015) with 32 paths.
struct PayloadCode: Sendable {
  static let length = 512
  static let messageBits = 80
  static let listSize = 32

  /// The 80 positions that carry the message, ascending.
  let informationSet: [Int]
  private let frozen: [UInt64]

  init() {
    // Four-decimal weights suffice: no two of the 512 differ by less.
    let root = 1.189207115002721  // 2^(1/4)
    let powers = (0..<9).reduce(into: [Double]()) { list, _ in list.append((list.last ?? 1 / root) * root) }
    let weights = (0..<Self.length).map { index in
      (0..<9).reduce(0.0) { $0 + (index >> $1 & 1 == 1 ? powers[$1] : 0) }
    }
    informationSet = (0..<Self.length).sorted { (weights[$0], $0) > (weights[$1], $1) }.prefix(Self.messageBits).sorted()
    var frozen = [UInt64](repeating: .max, count: 8)
    for index in informationSet { frozen[index >> 6] &= ~(1 << UInt64(index & 63)) }
    self.frozen = frozen
  }

  /// CRC-16/IBM-3740 of the eight bytes, most significant first.
  static func checksum(of id: WatermarkID) -> UInt16 {
    var crc: UInt16 = 0xFFFF
    for byte in stride(from: 56, through: 0, by: -8) {
      crc ^= UInt16(truncatingIfNeeded: id.value >> UInt64(byte) & 0xFF) << 8
      for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    }
    return crc
  }

  func encode(_ id: WatermarkID) -> CodeWord {
    let crc = UInt64(Self.checksum(of: id))
    var words = [UInt64](repeating: 0, count: 8)
    for (order, index) in informationSet.enumerated() {
      let bit = order < 64 ? id.value >> UInt64(63 - order) & 1 : crc >> UInt64(79 - order) & 1
      words[index >> 6] |= bit << UInt64(index & 63)
    }
    rw_polar_encode_512(&words)
    return CodeWord(words: words)
  }

  /// The ids whose checksum holds among the 32 paths, likeliest first; empty when there is none.
  ///
  /// - Parameter likelihoods: 512 log-likelihood ratios, positive for 0.
  func decode(_ likelihoods: [Float]) -> [WatermarkID] {
    precondition(likelihoods.count == Self.length)
    var candidates = [UInt64](repeating: 0, count: 8 * Self.listSize)
    var metrics = [Float](repeating: 0, count: Self.listSize)
    let count = Int(rw_polar_list_decode_512(likelihoods, frozen, Int32(Self.listSize), &candidates, &metrics))
    return (0..<count).compactMap { path in
      var value: UInt64 = 0
      var crc: UInt64 = 0
      for (order, index) in informationSet.enumerated() {
        let bit = candidates[8 * path + (index >> 6)] >> UInt64(index & 63) & 1
        if order < 64 { value = value << 1 | bit } else { crc = crc << 1 | bit }
      }
      let id = WatermarkID(value)
      return UInt64(Self.checksum(of: id)) == crc ? id : nil
    }
  }
}
