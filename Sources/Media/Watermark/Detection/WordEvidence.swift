/// What the phases of the data lines say for a code word; see `MarkDecision` for the bound that it gives.
///
/// Λ is a mixture of likelihood ratios whose concentrations are scaled by `scales`: amplitudes are estimates, and two averaged
/// copies halve them. The expectation of a mixture of likelihood ratios is 1, too.
struct WordEvidence {
  /// Phases are less sure than noise alone would leave them, because a geometry is never exact: radians squared.
  private static let phaseVariance = 0.03
  private static let scales = [1.0, 0.5, 0.25]

  /// Concentration times cosine and sine of the phase, by place: Σ ± gives Σ κ cos Δ.
  private var terms: [Float]
  /// Σ ln I₀(κ) by scale, with the logarithm of the mixture's number of parts.
  private var offsets: [Double]

  init(_ reading: MarkReading) {
    let half = CarrierLayout.dataCount
    terms = [Float](repeating: 0, count: 2 * half)
    offsets = [Double](repeating: naturalLogarithm(Double(Self.scales.count)), count: Self.scales.count)
    for j in 0..<half {
      let (re, im) = (Double(reading.values[j]), Double(reading.values[j + half]))
      let amplitude = Double(reading.amplitudes[j])
      // Signal a e^{iφ} in complex noise of power 1, values being √2 times the parts: κ = 2 a |X|.
      let ideal = amplitude * (2 * (re * re + im * im)).squareRoot()
      guard ideal > 0 else { continue }
      let share = 1 / (1 + ideal * Self.phaseVariance)
      terms[j] = Float(share * amplitude * re)
      terms[j + half] = Float(share * amplitude * im)
      for (index, scale) in Self.scales.enumerated() { offsets[index] += logarithmOfBessel(scale * share * ideal) }
    }
  }

  /// √(2 ln Λ) for the signs of a word; 0 where the phases speak against it.
  func z(_ signs: [Float]) -> Double {
    var sum: Float = 0
    for place in signs.indices { sum += terms[place] * signs[place] }
    // Logarithm of the sum of the parts, without overflow.
    var most = -Double.infinity
    var parts = 0.0
    for (scale, offset) in zip(Self.scales, offsets) {
      let logarithm = scale * Double(sum) - offset
      parts = logarithm > most ? parts * exponential(most - logarithm) + 1 : parts + exponential(logarithm - most)
      most = max(most, logarithm)
    }
    let total = most + naturalLogarithm(parts)
    return total > 0 ? (2 * total).squareRoot() : 0
  }
}
