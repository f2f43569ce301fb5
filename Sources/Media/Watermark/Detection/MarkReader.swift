internal import CKernels

/// Soft values of the 512 code places under one geometry, and their weights.
struct MarkReading {
  /// Value by place, noise having variance 1; positive for the sign +1.
  var values: [Float]
  /// Expected amplitude by place, so that 2 · amplitude · value is the log-likelihood ratio; 0 outside the received band. From
  /// magnitudes alone.
  var amplitudes: [Float]
  var geometry: Geometry
  /// Translation in lattice units.
  var shift: (x: Double, y: Double)
  /// Σ a Re of the synchronisation lines over √(Σ a² / 2), a being their expected amplitudes: about normal for a wrong
  /// geometry, before the maximum over translations.
  var synchronisation: Float

  /// Adds another look at the same mark. Products of value and amplitude are log-likelihoods, so they add.
  mutating func combine(_ other: MarkReading) {
    for place in values.indices {
      let (a, b) = (amplitudes[place], other.amplitudes[place])
      let norm = (a * a + b * b).squareRoot()
      if norm > 0 {
        values[place] = (a * values[place] + b * other.values[place]) / norm
        amplitudes[place] = norm
      }
    }
  }
}

/// Reads the lines of one key under a geometry: finds the translation from the synchronisation lines, then demodulates.
final class MarkReader {
  let layout: CarrierLayout
  let torus = FourierTorus(size: 256)
  let synchronisationPhase: [(cosine: Double, sine: Double)]
  private let variantPhase: [(cosine: Double, sine: Double)]
  private let dataPhase: [(cosine: Double, sine: Double)]

  init(layout: CarrierLayout) {
    self.layout = layout
    synchronisationPhase = layout.synchronisation.map { (cosine($0.angle), -sine($0.angle)) }
    variantPhase = layout.variant.map { (cosine($0.angle), -sine($0.angle)) }
    dataPhase = layout.data.map { (cosine($0.angle), -sine($0.angle)) }
  }

  private func lineValues(_ lines: [CarrierLayout.Line], _ geometry: Geometry, in spectrum: MarkSpectrum) -> (
    values: [Float], inside: [Bool]
  ) {
    let (x, y, inside) = frequencies(lines, geometry)
    return (spectrum.values(x: x, y: y), inside)
  }

  /// Frequencies of lines in cycles a pixel, and whether they lie in the band that was received.
  func frequencies(_ lines: [CarrierLayout.Line], _ geometry: Geometry) -> (x: [Float], y: [Float], inside: [Bool]) {
    let m = geometry.frequencyMatrix
    var x: [Float] = []
    var y: [Float] = []
    var inside: [Bool] = []
    let (low, high) = (Float(RW_DETECT_LOW), Float(RW_DETECT_HIGH))
    for line in lines {
      let u = Float(m.a * Double(line.x) + m.b * Double(line.y))
      let v = Float(m.c * Double(line.x) + m.d * Double(line.y))
      let radius = (u * u + v * v).squareRoot()
      let usable = radius > low && radius < high
      x.append(usable ? u : 0.1)
      y.append(usable ? v : 0.1)
      inside.append(usable)
    }
    return (x, y, inside)
  }

  /// Amplitudes to expect under a geometry, from the data lines' magnitudes, which say nothing of what they carry.
  private func expected(_ geometry: Geometry, in spectrum: MarkSpectrum) -> RingAmplitudes {
    let (values, inside) = lineValues(layout.data, geometry, in: spectrum)
    return RingAmplitudes(layout.data, values, inside)
  }

  /// Weights of the synchronisation lines: their expected amplitudes over the root of their squares' mean.
  private func synchronisationWeights(_ geometry: Geometry, in spectrum: MarkSpectrum) -> [Double] {
    let rings = expected(geometry, in: spectrum)
    let raw = layout.synchronisation.map { Double(rings[$0]) }
    let norm = (raw.reduce(0) { $0 + $1 * $1 } / Double(raw.count)).squareRoot()
    return raw.map { $0 / norm }
  }

  /// Synchronisation values turned by their secret angles and weighted; zero outside the band.
  private func synchronisationValues(_ geometry: Geometry, _ weights: [Double], in spectrum: MarkSpectrum) -> [(re: Double, im: Double)] {
    let (values, inside) = lineValues(layout.synchronisation, geometry, in: spectrum)
    return layout.synchronisation.indices.map { j in
      guard inside[j] else { return (0, 0) }
      let (re, im) = (Double(values[2 * j]) * weights[j], Double(values[2 * j + 1]) * weights[j])
      let phase = synchronisationPhase[j]
      return (re * phase.cosine - im * phase.sine, re * phase.sine + im * phase.cosine)
    }
  }

  /// Σ Re of synchronisation values moved back by a translation.
  private func coherence(_ values: [(re: Double, im: Double)], _ shiftX: Double, _ shiftY: Double) -> Double {
    let turns = LatticeTurns(x: shiftX, y: shiftY)
    var total = 0.0
    for (j, line) in layout.synchronisation.enumerated() {
      let turn = turns[line.x, line.y]
      total += values[j].re * turn.x - values[j].im * turn.y
    }
    return total
  }

  /// A geometry and the place, in lattice units, that its synchronisation lines point to; `value` is how well they agree.
  typealias Translation = (geometry: Geometry, x: Double, y: Double, value: Double)

  /// The likeliest translations of a geometry, both ways up, best first.
  func translations(_ geometry: Geometry, in spectrum: MarkSpectrum, keeping count: Int = 2) -> [Translation] {
    var found: [Translation] = []
    // A half turn takes each line to its opposite, whose magnitude is the same.
    let weights = synchronisationWeights(geometry, in: spectrum)
    for reversed in [false, true] {
      var turned = geometry
      turned.reversed = reversed
      let values = synchronisationValues(turned, weights, in: spectrum)
      torus.clear()
      let size = torus.size
      for (j, line) in layout.synchronisation.enumerated() {
        let place = ((line.y + size) % size) * size + line.x
        torus.values[2 * place] = Float(values[j].re)
        torus.values[2 * place + 1] = Float(values[j].im)
      }
      torus.transform()
      var places = [Int32](repeating: 0, count: count)
      var heights = [Float](repeating: 0, count: count)
      rw_detect_peaks(torus.values, Int32(size), Int32(count), 5, &places, &heights)
      let unit = Double(CarrierLayout.period) / Double(size)
      for (place, height) in zip(places, heights) {
        found.append((turned, Double(Int(place) % size) * unit, Double(Int(place) / size) * unit, Double(height)))
      }
    }
    return found.sorted { $0.value > $1.value }
  }

  /// Where the synchronisation lines add up best within a step of a translation that is known, without any change of geometry:
  /// a picture that was only scaled needs no peak that stands out from all translations.
  func near(_ x: Double, _ y: Double, _ geometry: Geometry, in spectrum: MarkSpectrum) -> Translation {
    let values = synchronisationValues(geometry, synchronisationWeights(geometry, in: spectrum), in: spectrum)
    var best = (geometry: geometry, x: x, y: y, value: -Double.infinity)
    for i in -3...3 {
      for k in -3...3 {
        let value = coherence(values, x + 0.4 * Double(i), y + 0.4 * Double(k))
        if value > best.value { best = (geometry, x + 0.4 * Double(i), y + 0.4 * Double(k), value) }
      }
    }
    return best
  }

  /// Refines geometry and translation so that the synchronisation lines add up best, then reads the data lines.
  func read(_ start: Translation, in spectrum: MarkSpectrum, refine: Bool = true)
    -> MarkReading
  {
    var (geometry, x, y) = (start.geometry, start.x, start.y)
    let weights = synchronisationWeights(geometry, in: spectrum)
    var values = synchronisationValues(geometry, weights, in: spectrum)
    var best = coherence(values, x, y)
    func moveShift(_ step: Double) {
      for (dx, dy) in [(step, 0), (-step, 0), (0, step), (0, -step)] {
        let value = coherence(values, x + dx, y + dy)
        if value > best { (best, x, y) = (value, x + dx, y + dy) }
      }
    }
    for step in [0.25, 0.12] { moveShift(step) }
    if refine {
      for step in [0.0016, 0.0008, 0.0004, 0.0002] {
        for _ in 0..<2 {
          for axis in 0..<4 {
            for sign in [-1.0, 1.0] {
              var trial = geometry
              switch axis {
              case 0: trial.correction.a += sign * step
              case 1: trial.correction.b += sign * step
              case 2: trial.correction.c += sign * step
              default: trial.correction.d += sign * step
              }
              let moved = synchronisationValues(trial, weights, in: spectrum)
              let value = coherence(moved, x, y)
              if value > best { (best, geometry, values) = (value, trial, moved) }
            }
          }
          moveShift(0.2)
        }
      }
    }
    return demodulated(geometry, x, y, best, in: spectrum)
  }

  private func demodulated(_ geometry: Geometry, _ x: Double, _ y: Double, _ coherence: Double, in spectrum: MarkSpectrum) -> MarkReading {
    let (values, inside) = lineValues(layout.data, geometry, in: spectrum)
    return reading(of: values, inside: inside, geometry, x, y, coherence)
  }

  /// Σ y' c / √(Σ y'²) for each sequence of signs c of the variant lines, y' being their values clipped to ±1.5.
  func variantFits(
    _ start: Translation, _ sequences: [[Float]], in spectrum: MarkSpectrum
  ) -> [Double] {
    // The same small moves as for the data lines.
    let reading = read(start, in: spectrum, refine: false)
    let (values, inside) = lineValues(layout.variant, reading.geometry, in: spectrum)
    let count = CarrierLayout.variantCount
    var soft = [Double](repeating: 0, count: 2 * count)
    for (j, line) in layout.variant.enumerated() where inside[j] {
      let angle = -2 * Double.pi * (Double(line.x) * reading.shift.x + Double(line.y) * reading.shift.y) / Double(CarrierLayout.period)
      let (c, s) = (cosine(angle), sine(angle))
      let phase = variantPhase[j]
      let turn = (re: c * phase.cosine - s * phase.sine, im: c * phase.sine + s * phase.cosine)
      let (re, im) = (Double(values[2 * j]), Double(values[2 * j + 1]))
      let root = 2.0.squareRoot()
      soft[j] = min(max(root * (re * turn.re - im * turn.im), -1.5), 1.5)
      soft[j + count] = min(max(root * (re * turn.im + im * turn.re), -1.5), 1.5)
    }
    let norm = soft.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0 else { return [Double](repeating: 0, count: sequences.count) }
    return sequences.map { sequence in soft.indices.reduce(0) { $0 + soft[$1] * Double(sequence[$1]) } / norm }
  }

  /// The reading of the data lines' values, interleaved complex numbers with noise of mean power 1.
  func reading(of values: [Float], inside: [Bool], _ geometry: Geometry, _ x: Double, _ y: Double, _ coherence: Double) -> MarkReading {
    let half = CarrierLayout.dataCount
    let rings = RingAmplitudes(layout.data, values, inside)
    var soft = [Float](repeating: 0, count: 2 * half)
    var amplitudes = [Float](repeating: 0, count: 2 * half)
    for (j, line) in layout.data.enumerated() where inside[j] {
      let angle = -2 * Double.pi * (Double(line.x) * x + Double(line.y) * y) / Double(CarrierLayout.period)
      let (c, s) = (cosine(angle), sine(angle))
      let phase = dataPhase[j]
      let turn = (re: c * phase.cosine - s * phase.sine, im: c * phase.sine + s * phase.cosine)
      let (re, im) = (Double(values[2 * j]), Double(values[2 * j + 1]))
      let root = 2.0.squareRoot()
      soft[j] = Float(root * (re * turn.re - im * turn.im))
      soft[j + half] = Float(root * (re * turn.im + im * turn.re))
      amplitudes[j] = rings[line]
      amplitudes[j + half] = rings[line]
    }
    let norm = (Double(CarrierLayout.synchronisationCount) / 2).squareRoot()
    return MarkReading(values: soft, amplitudes: amplitudes, geometry: geometry, shift: (x, y), synchronisation: Float(coherence / norm))
  }
}
