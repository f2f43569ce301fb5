/// The factors exp(−2πi (X x + Y y) / 128) by which a translation (x, y) turns the lines (X, Y) of the lattice: a table of powers
/// for each axis instead of a cosine and a sine for each line.
struct LatticeTurns {
  private static let most = 21
  private var across = [SIMD2<Double>](repeating: SIMD2(1, 0), count: most + 1)
  private var down = [SIMD2<Double>](repeating: SIMD2(1, 0), count: most + 1)

  /// Cosine in `x`, sine in `y`.
  init(x: Double, y: Double) {
    let turn = -2 * Double.pi / Double(CarrierLayout.period)
    let (u, v) = (SIMD2(cosine(turn * x), sine(turn * x)), SIMD2(cosine(turn * y), sine(turn * y)))
    for power in 1...Self.most {
      across[power] = Self.product(across[power - 1], u)
      down[power] = Self.product(down[power - 1], v)
    }
  }

  /// `x` is 0 ... 21, `y` is −21 ... 21.
  subscript(x: Int, y: Int) -> SIMD2<Double> {
    var factor = down[abs(y)]
    if y < 0 { factor.y = -factor.y }
    return Self.product(across[x], factor)
  }

  private static func product(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
    SIMD2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
  }
}
