import Testing

@testable import Crypto

struct KeyedGeneratorTests {
  private let secret = SecretBytes((0..<16).map { UInt8($0) })

  @Test("the sequence is the keystream of the derived key, least significant byte first")
  func definition() {
    // The definition written out, by the parts that the RFC vectors prove.
    let key = SecretBytes(BLAKE2b.digest(of: Array("lines".utf8), key: secret))
    let stream = ChaCha20.keystream(key: key, byteCount: 8192)
    var generator = KeyedGenerator(secret: secret, label: "lines")
    for index in 0..<2048 {
      let bytes = stream[(4 * index)..<(4 * index + 4)]
      #expect(generator.nextWord() == bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }

  @Test("published test vector: never changes")
  func frozen() {
    var generator = KeyedGenerator(secret: secret, label: "reelwright")
    #expect(Hex.encode(BLAKE2b.digest(of: Array("reelwright".utf8), key: secret)) == Self.frozenKey)
    #expect((0..<4).map { _ in generator.uniform(below: 1000) } == Self.frozenNumbers)
    #expect(generator.permutation(8) == Self.frozenPermutation)
  }
  // Computed by Python: hashlib.blake2b(b"reelwright", key=bytes(range(16)), digest_size=32), and the keystream by `openssl enc -chacha20`.
  private static let frozenKey = "607dd3215a5bc993f40d2338c4c08e5a8db783eceff0520a71e024faa8b73fc7"
  private static let frozenNumbers: [UInt32] = [5, 889, 677, 846]
  private static let frozenPermutation = [0, 7, 5, 3, 6, 1, 2, 4]

  @Test("labels and secrets separate; a copy continues by itself")
  func separation() {
    var first = KeyedGenerator(secret: secret, label: "a")
    var second = KeyedGenerator(secret: secret, label: "b")
    var copy = first
    let values = (0..<8).map { _ in first.next() }
    #expect(values != (0..<8).map { _ in second.next() })
    #expect(values == (0..<8).map { _ in copy.next() })
  }

  @Test("no value of a bound is favoured", arguments: [UInt32(1), 2, 3, 7, 10, 0x8000_0001])
  func uniformity(bound: UInt32) {
    var generator = KeyedGenerator(secret: secret, label: "uniform")
    let bins = min(bound, 10)
    var counts = [Int](repeating: 0, count: Int(bins))
    let draws = 20_000
    for _ in 0..<draws {
      let value = generator.uniform(below: bound)
      #expect(value < bound)
      counts[Int(UInt64(value) * UInt64(bins) / UInt64(bound))] += 1
    }
    // Chi-square with at most 9 degrees of freedom exceeds 40 once in a hundred thousand keys; this key is fixed.
    let expected = Double(draws) / Double(bins)
    #expect(counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected } < 40)
  }

  @Test("every order of four comes equally often")
  func shuffles() {
    var generator = KeyedGenerator(secret: secret, label: "shuffle")
    var counts: [[Int]: Int] = [:]
    for _ in 0..<24_000 { counts[generator.permutation(4), default: 0] += 1 }
    #expect(counts.count == 24)
    // Chi-square with 23 degrees of freedom: above 62 once in fifty thousand keys.
    #expect(counts.values.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 } < 62)
  }

  @Test func samples() {
    var generator = KeyedGenerator(secret: secret, label: "sample")
    var seen = Set<Int>()
    for _ in 0..<200 {
      let drawn = generator.sample(5, of: 9)
      #expect(Set(drawn).count == 5 && drawn.allSatisfy { (0..<9).contains($0) })
      seen.formUnion(drawn)
    }
    #expect(seen.count == 9)
    #expect(generator.sample(9, of: 9).sorted() == Array(0..<9))
    #expect((0..<1000).allSatisfy { _ in (0..<1).contains(generator.unit()) })
  }
}
