internal import CKernels

/// Soft values of the 512 code places under one geometry, and their weights.
struct MarkReading {
  /// Value by place, noise having variance 1; positive for the sign +1.
  var values: [Float]
  /// Expected amplitude by place; 0 outside the received band. From magnitudes alone.
  var weights: [Float]
  var geometry: Geometry
  /// Translation in lattice units.
  var shift: (x: Double, y: Double)
  /// Σ Re of the synchronisation lines over √(their count / 2): about normal for a wrong geometry, before the maximum
  /// over translations.
  var synchronisation: Float

  /// Adds another look at the same mark. Both are log-likelihoods once weighted, so products add.
  mutating func combine(_ other: MarkReading) {
    for place in values.indices {
      let (a, b) = (weights[place], other.weights[place])
      let norm = (a * a + b * b).squareRoot()
      if norm > 0 {
        values[place] = (a * values[place] + b * other.values[place]) / norm
        weights[place] = norm
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

  /// Synchronisation values turned by their secret angles; zero outside the band.
  private func synchronisationValues(_ geometry: Geometry, in spectrum: MarkSpectrum) -> [(re: Double, im: Double)] {
    let (values, inside) = lineValues(layout.synchronisation, geometry, in: spectrum)
    return layout.synchronisation.indices.map { j in
      guard inside[j] else { return (0, 0) }
      let (re, im) = (Double(values[2 * j]), Double(values[2 * j + 1]))
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

  /// The likeliest translations of a geometry, both ways up, best first.
  func translations(_ geometry: Geometry, in spectrum: MarkSpectrum, keeping count: Int = 2) -> [(
    geometry: Geometry, x: Double, y: Double, value: Double
  )] {
    var found: [(geometry: Geometry, x: Double, y: Double, value: Double)] = []
    for reversed in [false, true] {
      var turned = geometry
      turned.reversed = reversed
      let values = synchronisationValues(turned, in: spectrum)
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

  /// Refines geometry and translation so that the synchronisation lines add up best, then reads the data lines.
  func read(_ start: (geometry: Geometry, x: Double, y: Double, value: Double), in spectrum: MarkSpectrum, refine: Bool = true)
    -> MarkReading
  {
    var (geometry, x, y) = (start.geometry, start.x, start.y)
    var values = synchronisationValues(geometry, in: spectrum)
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
              let moved = synchronisationValues(trial, in: spectrum)
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
    _ start: (geometry: Geometry, x: Double, y: Double, value: Double), _ sequences: [[Float]], in spectrum: MarkSpectrum
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
    // Amplitudes by ring of equal numbers of lattice steps, from magnitudes alone.
    let rings = 6
    var power = [Float](repeating: 0, count: rings)
    var counts = [Float](repeating: 0, count: rings)
    func ring(_ line: CarrierLayout.Line) -> Int {
      min(rings - 1, Int((Double(line.radiusSquared).squareRoot() - 4) / 17.34 * Double(rings)))
    }
    for (j, line) in layout.data.enumerated() where inside[j] {
      power[ring(line)] += values[2 * j] * values[2 * j] + values[2 * j + 1] * values[2 * j + 1]
      counts[ring(line)] += 1
    }
    let amplitudes = (0..<rings).map { r -> Float in
      counts[r] > 0 ? max(power[r] / counts[r] - 1, 0.02).squareRoot() : 0
    }
    var soft = [Float](repeating: 0, count: 2 * half)
    var weights = [Float](repeating: 0, count: 2 * half)
    for (j, line) in layout.data.enumerated() where inside[j] {
      let angle = -2 * Double.pi * (Double(line.x) * x + Double(line.y) * y) / Double(CarrierLayout.period)
      let (c, s) = (cosine(angle), sine(angle))
      let phase = dataPhase[j]
      let turn = (re: c * phase.cosine - s * phase.sine, im: c * phase.sine + s * phase.cosine)
      let (re, im) = (Double(values[2 * j]), Double(values[2 * j + 1]))
      let root = 2.0.squareRoot()
      soft[j] = Float(root * (re * turn.re - im * turn.im))
      soft[j + half] = Float(root * (re * turn.im + im * turn.re))
      weights[j] = amplitudes[ring(line)]
      weights[j + half] = amplitudes[ring(line)]
    }
    let norm = (Double(CarrierLayout.synchronisationCount) / 2).squareRoot()
    return MarkReading(values: soft, weights: weights, geometry: geometry, shift: (x, y), synchronisation: Float(coherence / norm))
  }
}
