internal import Glibc

func cosine(_ radians: Double) -> Double { cos(radians) }
func sine(_ radians: Double) -> Double { sin(radians) }
func exponential(_ value: Double) -> Double { exp(value) }
func naturalLogarithm(_ value: Double) -> Double { log(value) }
func commonLogarithm(_ value: Double) -> Double { log10(value) }
func powerOfTen(_ value: Double) -> Double { pow(10, value) }
func angleOf(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
func powerOf(_ value: Double, _ exponent: Double) -> Double { pow(value, exponent) }
