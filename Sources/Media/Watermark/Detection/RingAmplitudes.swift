/// How strongly lines were received by their distance from the spectrum's centre, from magnitudes alone.
///
/// A line's mean power is 1 for noise and 1 + a² where it is received with amplitude a. The powers, each limited so that no
/// single one decides, are averaged over rings three lattice steps to either side with weights that fall to zero.
struct RingAmplitudes {
  /// Amplitudes at radii of 0, ½, 1 … lattice steps.
  private let table: [Float]
  private static let steps = 2.0
  private static let most = 22.0
  private static let reach = 3.0
  private static let greatestPower: Float = 16
  /// What a ring in which nothing was found still counts.
  private static let leastPower: Float = 0.05

  /// - Parameter values: complex numbers, interleaved, noise having mean power 1; those not `inside` do not count.
  init(_ lines: [CarrierLayout.Line], _ values: [Float], _ inside: [Bool]) {
    let radii = lines.map { Double($0.radiusSquared).squareRoot() }
    table = (0...Int(Self.most * Self.steps)).map { place in
      let radius = Double(place) / Self.steps
      var sum: Float = 0
      var count: Float = 0
      for (j, other) in radii.enumerated() where inside[j] && abs(other - radius) < Self.reach {
        let weight = Float(1 - abs(other - radius) / Self.reach)
        sum += weight * min(values[2 * j] * values[2 * j] + values[2 * j + 1] * values[2 * j + 1], Self.greatestPower)
        count += weight
      }
      return max(count > 0 ? sum / count - 1 : 0, Self.leastPower).squareRoot()
    }
  }

  subscript(line: CarrierLayout.Line) -> Float {
    table[min(table.count - 1, Int((Double(line.radiusSquared).squareRoot() * Self.steps).rounded()))]
  }
}
