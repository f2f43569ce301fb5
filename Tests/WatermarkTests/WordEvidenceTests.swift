import Glibc
import TestBasics
import Testing

@testable import Watermark

/// The bound of `MarkDecision`: for phases that are uniform, whatever the magnitudes, the chance of z ≥ T is at most exp(−T²/2).
@Suite struct WordEvidenceTests {
  private func reading(amplitudes: [Float], values: [Float]) -> MarkReading {
    MarkReading(values: values, amplitudes: amplitudes, geometry: Geometry(scaleX: 1, scaleY: 1), shift: (0, 0), synchronisation: 0)
  }

  /// Abramowitz and Stegun, table 9.8, and I₀(20) = 4.355828255955353e7.
  @Test(arguments: [
    (0.0, 1.0), (0.5, 1.063_483_370_741_3), (1, 1.266_065_877_752_0), (3.75, 9.118_945_860_844_6), (5, 27.239_871_823_604_4),
    (10, 2815.716_628_466_254), (20, 4.355_828_255_955_353e7),
  ])
  func besselFunction(_ x: Double, _ value: Double) {
    #expect(abs(logarithmOfBessel(x) - log(value)) < 5e-7)
  }

  @Test(arguments: [Float(0.3), 1, 4])
  func unmarkedPhasesStayWithinTheBound(_ amplitude: Float) {
    var random = SplitMix(state: 20 + UInt64(amplitude * 10))
    let half = CarrierLayout.dataCount
    let amplitudes = (0..<(2 * half)).map { _ in amplitude }
    let signs = (0..<(2 * half)).map { $0 % 3 == 0 ? Float(-1) : 1 }
    let trials = 4000
    var above = [0, 0, 0]
    for _ in 0..<trials {
      var values = [Float](repeating: 0, count: 2 * half)
      for j in 0..<half {
        // Magnitudes as of a mark that is there, phases of none.
        let phase = Float(random.next() >> 40) / Float(1 << 24) * 2 * .pi
        let magnitude = amplitude * 1.4 + Float(random.next() >> 40) / Float(1 << 24)
        values[j] = magnitude * cosf(phase)
        values[j + half] = magnitude * sinf(phase)
      }
      let z = WordEvidence(reading(amplitudes: amplitudes, values: values)).z(signs)
      for (place, threshold) in [1.0, 1.5, 2.5].enumerated() where z >= threshold { above[place] += 1 }
    }
    for (place, threshold) in [1.0, 1.5, 2.5].enumerated() {
      // Four standard deviations of a count above what the bound allows.
      let most = Double(trials) * exp(-threshold * threshold / 2)
      #expect(Double(above[place]) <= most + 4 * most.squareRoot())
    }
  }

  @Test func evidenceGrowsWithAmplitudeAndFallsWithWrongSigns() {
    let half = CarrierLayout.dataCount
    let signs = (0..<(2 * half)).map { $0 % 5 < 2 ? Float(-1) : 1 }
    func z(_ amplitude: Float, wrong: Int = 0) -> Double {
      let values = signs.enumerated().map { $0.offset < wrong ? -amplitude * $0.element : amplitude * $0.element }
      return WordEvidence(reading(amplitudes: signs.map { _ in amplitude }, values: values)).z(signs)
    }
    #expect(z(0.2) < z(0.5) && z(0.5) < z(1) && z(1) < z(3))
    #expect(z(1, wrong: 60) < z(1))
    #expect(z(3, wrong: half) == 0)
    // Signs alone cannot bring more than the root of their number, phases can.
    #expect(z(4) > Double(2 * half).squareRoot())
  }
}
