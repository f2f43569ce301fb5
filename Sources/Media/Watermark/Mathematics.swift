internal import Glibc

func cosine(_ radians: Double) -> Double { cos(radians) }
func sine(_ radians: Double) -> Double { sin(radians) }
func exponential(_ value: Double) -> Double { exp(value) }
func naturalLogarithm(_ value: Double) -> Double { log(value) }
func commonLogarithm(_ value: Double) -> Double { log10(value) }
func powerOfTen(_ value: Double) -> Double { pow(10, value) }
func angleOf(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
func powerOf(_ value: Double, _ exponent: Double) -> Double { pow(value, exponent) }

/// ln I₀(x) for x ≥ 0, to about 2·10⁻⁷: Abramowitz and Stegun, 9.8.1 and 9.8.2.
func logarithmOfBessel(_ x: Double) -> Double {
  func polynomial(_ t: Double, _ coefficients: [Double]) -> Double { coefficients.reversed().reduce(0) { $0 * t + $1 } }
  if x < 3.75 {
    let t = x / 3.75
    return log(polynomial(t * t, [1, 3.515_622_9, 3.089_942_4, 1.206_749_2, 0.265_973_2, 0.036_076_8, 0.004_581_3]))
  }
  let tail = [
    0.398_942_28, 0.013_285_92, 0.002_253_19, -0.001_575_65, 0.009_162_81, -0.020_577_06, 0.026_355_37, -0.016_476_33, 0.003_923_77,
  ]
  return x - log(x) / 2 + log(polynomial(3.75 / x, tail))
}
