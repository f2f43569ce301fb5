/// Reproducible random numbers from a key: the same key and label give the same numbers on every machine and in
/// every version of Reelwright.
///
/// The bytes are the ChaCha20 keystream (RFC 8439) with the 256-bit key BLAKE2b-256(key: secret, message: label),
/// a zero nonce and blocks counted from 0. Words are read from it little-endian and one after the other; every
/// method states how many it reads, so that the sequence can be reproduced elsewhere. A value type: a copy
/// continues independently from the same place.
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
  private let key: SecretBytes
  private var block: UInt32 = 0
  private var buffer: [UInt8] = []
  private var position = 0
  private static let blocksAtOnce: UInt32 = 16

  /// - Parameters:
  ///   - secret: at most 64 bytes.
  ///   - label: what the numbers are for; different labels give independent sequences.
  public init(secret: SecretBytes, label: String) { key = secret.derived(label) }

  /// The next 32 bits: four bytes of the stream, least significant first.
  public mutating func nextWord() -> UInt32 {
    if position == buffer.count {
      buffer = ChaCha20.keystream(key: key, counter: block, byteCount: Int(Self.blocksAtOnce) * ChaCha20.blockByteCount)
      block += Self.blocksAtOnce
      position = 0
    }
    let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(buffer[position + $1]) << UInt32(8 * $1) }
    position += 4
    return word
  }

  /// The next 64 bits: two words, the first is the low half.
  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return low | UInt64(nextWord()) << 32
  }

  /// A number from 0 up to, not including, `bound`; every one exactly equally likely.
  ///
  /// Reads words until one is below the greatest multiple of `bound` that fits 2³², and returns it modulo `bound`.
  public mutating func uniform(below bound: UInt32) -> UInt32 {
    precondition(bound > 0, "the bound is at least 1")
    let limit = (UInt64(1) << 32) / UInt64(bound) * UInt64(bound)
    while true {
      let word = nextWord()
      if UInt64(word) < limit { return word % bound }
    }
  }

  /// A multiple of 2⁻³² in 0 ..< 1: one word.
  public mutating func unit() -> Double { Double(nextWord()) * 0x1p-32 }

  /// Puts `elements` in random order, every order equally likely (Fisher-Yates): for i from count − 1 down to 1,
  /// swaps i with `uniform(below: i + 1)`. At most 2³² − 1 elements.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for index in stride(from: elements.count - 1, through: 1, by: -1) {
      elements.swapAt(index, Int(uniform(below: UInt32(index + 1))))
    }
  }

  /// The numbers 0 ..< count in random order.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order)
    return order
  }

  /// `count` different numbers of 0 ..< total in drawing order: the first places of a Fisher-Yates shuffle that
  /// runs upwards, swapping i with i + `uniform(below: total − i)`.
  public mutating func sample(_ count: Int, of total: Int) -> [Int] {
    precondition(count <= total, "cannot draw more than there are")
    var order = Array(0..<total)
    for index in 0..<count { order.swapAt(index, index + Int(uniform(below: UInt32(total - index)))) }
    return Array(order.prefix(count))
  }
}
