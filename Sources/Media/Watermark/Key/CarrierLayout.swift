internal import Crypto

/// Where a key puts a mark: the frozen mapping of format version 1.
///
/// The carrier is a sum of plane waves on the lattice of a torus of 128 x 128 units, the shorter side of the marked
/// picture being 720 units. Candidates are the lattice points (x, y) with 1 ≤ x ≤ 21, y ≠ 0, 16 ≤ x² + y² ≤ 455
/// (wavelengths of 6 to 32 units, none parallel to an axis), ordered by x, then y ascending. From the key's generators
/// (`KeyedGenerator`, labels below) come:
/// 1. `watermark 1 lines`: a sample of 416 candidates in drawing order: 64 synchronisation, 256 data, 96 variant lines.
/// 2. `watermark 1 angles`: one word an angle, 2π · word / 2³², in the same order.
/// 3. `watermark 1 permutation`: π, a permutation of 0 ..< 512.
/// 4. `watermark 1 scramble`: 16 words, bit i of the scramble is bit i % 32 of word i / 32.
/// Data line j carries code bits π(j) in its real and π(j + 256) in its imaginary part, each added to its scramble bit
/// (s_j, s_{j + 256}) modulo 2; 0 is sent as +1.
struct CarrierLayout: Sendable {
  /// A plane wave: cycles per 128 units along each axis, and its secret phase in radians.
  struct Line: Sendable, Equatable {
    var x: Int
    var y: Int
    var angle: Double

    var radiusSquared: Int { x * x + y * y }
  }

  /// Units of the lattice's period.
  static let period = 128
  /// Units of the shorter side of the marked picture.
  static let shortSide = 720
  static let synchronisationCount = 64
  static let dataCount = 256
  static let variantCount = 96
  static let codeLength = 512

  let synchronisation: [Line]
  let data: [Line]
  let variant: [Line]
  let permutation: [Int]
  let scramble: [Bool]

  static let candidates: [(x: Int, y: Int)] = (1...21).flatMap { x in
    (-21...21).compactMap { y in
      let square = x * x + y * y
      return y != 0 && square >= 16 && square <= 455 ? (x, y) : nil
    }
  }

  init(key: WatermarkKey) {
    var lines = KeyedGenerator(secret: key.secret, label: "watermark 1 lines")
    var angles = KeyedGenerator(secret: key.secret, label: "watermark 1 angles")
    var order = KeyedGenerator(secret: key.secret, label: "watermark 1 permutation")
    var signs = KeyedGenerator(secret: key.secret, label: "watermark 1 scramble")
    let total = Self.synchronisationCount + Self.dataCount + Self.variantCount
    let drawn = lines.sample(total, of: Self.candidates.count).map { index in
      Line(x: Self.candidates[index].x, y: Self.candidates[index].y, angle: 2 * Double.pi * angles.unit())
    }
    synchronisation = Array(drawn[..<Self.synchronisationCount])
    data = Array(drawn[Self.synchronisationCount..<(Self.synchronisationCount + Self.dataCount)])
    variant = Array(drawn[(Self.synchronisationCount + Self.dataCount)...])
    permutation = order.permutation(Self.codeLength)
    scramble = (0..<(Self.codeLength / 32)).flatMap { _ in
      let word = signs.nextWord()
      return (0..<32).map { word >> $0 & 1 == 1 }
    }
  }

  /// The signs that the 512 places of the data lines carry for a code word: places 0 ..< 256 are the real parts.
  func signs(of word: CodeWord) -> [Float] {
    (0..<Self.codeLength).map { place in word[permutation[place]] != scramble[place] ? -1 : 1 }
  }
}
