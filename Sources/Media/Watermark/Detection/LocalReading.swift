/// Reads a mark whose picture was bent: perspective, a lens, a screen that was filmed.
///
/// The picture is cut in tiles, for each of which the synchronisation lines are measured. The group of tiles in which they
/// add up best gives a first translation; from there it is followed from tile to tile, a smooth field is fitted to
/// what was found and moved until all tiles together add up best, and the data lines are summed along the field with
/// weights that follow each tile's synchronisation. Only synchronisation lines choose: the bound of `MarkDecision` holds.
struct LocalReading {
  private let reader: MarkReader
  private let spectrum: MarkSpectrum
  private let geometry: Geometry
  private let columns: Int
  private let rows: Int
  /// Tile by tile, the 64 synchronisation values without their secret angles.
  private let values: [SIMD2<Double>]
  private let lineCount = CarrierLayout.synchronisationCount

  init(_ reader: MarkReader, _ geometry: Geometry, in spectrum: MarkSpectrum) {
    self.reader = reader
    self.spectrum = spectrum
    self.geometry = geometry
    let (short, long) = (min(spectrum.width, spectrum.height), max(spectrum.width, spectrum.height))
    let many = min(14, (6 * long + short / 2) / short)
    columns = spectrum.width <= spectrum.height ? 6 : many
    rows = spectrum.width <= spectrum.height ? many : 6
    let (x, y, inside) = reader.frequencies(reader.layout.synchronisation, geometry)
    let raw = spectrum.tileValues(x: x, y: y, columns: columns, rows: rows)
    let count = lineCount
    values = (0..<(columns * rows * count)).map { place in
      let j = place % count
      guard inside[j] else { return .zero }
      let (re, im) = (Double(raw[2 * place]), Double(raw[2 * place + 1]))
      let phase = reader.synchronisationPhase[j]
      return SIMD2(re * phase.cosine - im * phase.sine, re * phase.sine + im * phase.cosine)
    }
  }

  /// The best reading along a bent field, or nil where nothing stands out.
  func read() -> MarkReading? {
    guard let start = anchor() else { return nil }
    let places = followed(from: start)
    var field = LocalField(columns: columns, rows: rows)
    let tiles = columns * rows
    let strengths = (0..<tiles).map { max(0, coherence(around($0), places[$0].x, places[$0].y)) }
    field.fit(places, weights: strengths.map { $0 * $0 })
    climb(&field)
    return demodulated(field)
  }

  /// Sums of a tile and its neighbours.
  private func around(_ tile: Int) -> [SIMD2<Double>] {
    var sum = [SIMD2<Double>](repeating: .zero, count: lineCount)
    let (column, row) = (tile % columns, tile / columns)
    for r in max(0, row - 1)...min(rows - 1, row + 1) {
      for c in max(0, column - 1)...min(columns - 1, column + 1) {
        let base = (r * columns + c) * lineCount
        for j in 0..<lineCount { sum[j] += values[base + j] }
      }
    }
    return sum
  }

  /// The 3 x 3 tiles in which the lines add up best, and the translation there.
  private func anchor() -> (tile: Int, x: Double, y: Double)? {
    var best: (tile: Int, x: Double, y: Double, height: Float)?
    let torus = reader.torus
    for row in stride(from: 1, to: rows - 1, by: 1) {
      for column in stride(from: 1, to: columns - 1, by: 1) where (row + column) % 2 == 0 {
        let sum = around(row * columns + column)
        torus.clear()
        for (j, line) in reader.layout.synchronisation.enumerated() {
          let place = ((line.y + torus.size) % torus.size) * torus.size + line.x
          torus.values[2 * place] = Float(sum[j].x)
          torus.values[2 * place + 1] = Float(sum[j].y)
        }
        torus.transform()
        let peak = torus.greatest()
        if peak.value > best?.height ?? 0 {
          let unit = Double(CarrierLayout.period) / Double(torus.size)
          best = (row * columns + column, Double(peak.x) * unit, Double(peak.y) * unit, peak.value)
        }
      }
    }
    return best.map { ($0.tile, $0.x, $0.y) }
  }

  private func coherence(_ sums: [SIMD2<Double>], _ x: Double, _ y: Double) -> Double { coherence(sums[...], x, y) }

  private func coherence(_ sums: ArraySlice<SIMD2<Double>>, _ x: Double, _ y: Double) -> Double {
    let turns = LatticeTurns(x: x, y: y)
    var total = 0.0
    for (line, sum) in zip(reader.layout.synchronisation, sums) {
      let turn = turns[line.x, line.y]
      total += sum.x * turn.x - sum.y * turn.y
    }
    return total
  }

  /// Translations of all tiles: each looks near the mean of its neighbours that are known, the surest first.
  private func followed(from start: (tile: Int, x: Double, y: Double)) -> [(x: Double, y: Double)] {
    let tiles = columns * rows
    var places = [(x: Double, y: Double)?](repeating: nil, count: tiles)
    var sureness = [Double](repeating: 0, count: tiles)
    func near(_ tile: Int) -> [Int] {
      let (column, row) = (tile % columns, tile / columns)
      return (0..<tiles).filter { abs($0 % columns - column) <= 1 && abs($0 / columns - row) <= 1 && $0 != tile }
    }
    func settle(_ tile: Int, _ x: Double, _ y: Double) {
      let sums = around(tile)
      var best = (value: -Double.infinity, x: x, y: y)
      for i in -4...4 {
        for k in -4...4 {
          let (px, py) = (x + 0.6 * Double(i), y + 0.6 * Double(k))
          // What is far from the neighbours must be clearly better.
          let value = coherence(sums, px, py) * (1 - 0.006 * Double(i * i + k * k))
          if value > best.value { best = (value, px, py) }
        }
      }
      places[tile] = (best.x, best.y)
      sureness[tile] = max(best.value, 0)
    }
    settle(start.tile, start.x, start.y)
    while true {
      var next: (tile: Int, sure: Double)?
      for tile in 0..<tiles where places[tile] == nil {
        let sure = near(tile).reduce(0) { $0 + sureness[$1] }
        if near(tile).contains(where: { places[$0] != nil }), sure >= next?.sure ?? -1 { next = (tile, sure) }
      }
      guard let next else { break }
      var (x, y, weight) = (0.0, 0.0, 0.0)
      for other in near(next.tile) {
        guard let place = places[other] else { continue }
        let w = sureness[other] + 1e-6
        (x, y, weight) = (x + w * place.x, y + w * place.y, weight + w)
      }
      settle(next.tile, x / weight, y / weight)
    }
    return places.map { $0 ?? (start.x, start.y) }
  }

  private func tile(_ index: Int) -> ArraySlice<SIMD2<Double>> { values[(index * lineCount)..<((index + 1) * lineCount)] }

  private func total(_ field: LocalField) -> Double {
    (0..<(columns * rows)).reduce(0) { $0 + coherence(tile($1), field[$1].x, field[$1].y) }
  }

  /// Moves the field's terms, one after the other, while the sum over all tiles grows.
  private func climb(_ field: inout LocalField) {
    var best = total(field)
    for step in [1.0, 0.5, 0.25, 0.12] {
      for _ in 0..<2 {
        for term in 0..<LocalField.terms {
          for sign in [-1.0, 1.0] {
            var trial = field
            trial.x[term] += sign * step
            var value = total(trial)
            if value > best { (best, field) = (value, trial) }
            trial = field
            trial.y[term] += sign * step
            value = total(trial)
            if value > best { (best, field) = (value, trial) }
          }
        }
      }
    }
  }

  private func demodulated(_ field: LocalField) -> MarkReading {
    let tiles = columns * rows
    let own = (0..<tiles).map { coherence(tile($0), field[$0].x, field[$0].y) }
    // Each tile's share of the mark, smoothed over its neighbours: foreign pictures and captions count for nothing.
    let shares = (0..<tiles).map { index in
      let (column, row) = (index % columns, index / columns)
      var (sum, count) = (0.0, 0.0)
      for r in max(0, row - 1)...min(rows - 1, row + 1) {
        for c in max(0, column - 1)...min(columns - 1, column + 1) {
          let weight = r == row && c == column ? 2.0 : 1
          sum += weight * own[r * columns + c]
          count += weight
        }
      }
      return max(sum / count, 0)
    }
    let mean = max(shares.reduce(0, +) / Double(tiles), 1e-9)
    let weights = shares.map { min($0 / mean, 2) }
    let norm = (weights.reduce(0) { $0 + $1 * $1 } / Double(tiles)).squareRoot()
    let (x, y, inside) = reader.frequencies(reader.layout.data, geometry)
    let raw = spectrum.tileValues(x: x, y: y, columns: columns, rows: rows)
    let count = reader.layout.data.count
    var sums = [Float](repeating: 0, count: 2 * count)
    for index in 0..<tiles where weights[index] > 0 {
      let weight = weights[index] / max(norm, 1e-9)
      let place = field[index]
      let turns = LatticeTurns(x: place.x, y: place.y)
      for (j, line) in reader.layout.data.enumerated() where inside[j] {
        let turn = turns[line.x, line.y] * weight
        let (c, s) = (turn.x, turn.y)
        let (re, im) = (Double(raw[2 * (index * count + j)]), Double(raw[2 * (index * count + j) + 1]))
        sums[2 * j] += Float(re * c - im * s)
        sums[2 * j + 1] += Float(re * s + im * c)
      }
    }
    return reader.reading(of: sums, inside: inside, geometry, 0, 0, own.reduce(0, +))
  }
}
