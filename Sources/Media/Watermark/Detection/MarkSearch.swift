internal import CKernels
internal import MediaCore

/// The cascade of one key over one input: cheap hypotheses first, ended by the first accepted id.
final class MarkSearch {
  struct Result {
    var id: WatermarkID
    var z: Double
    var geometry: Geometry
    /// Where the whole showed it, in lattice units.
    var shift: (x: Double, y: Double)
  }

  private let size: FrameSize
  private let reader: MarkReader
  private let decoder: MarkDecoder
  private let search: GeometrySearch
  private let spectra: WindowSpectra
  private var total: MarkSpectrum { spectra.total }
  private(set) var attempts = 0
  private(set) var bestZ = 0.0
  private(set) var stage = ""

  init(spectra: WindowSpectra, size: FrameSize, reader: MarkReader, decoder: MarkDecoder, search: GeometrySearch) {
    self.spectra = spectra
    self.size = size
    self.reader = reader
    self.decoder = decoder
    self.search = search
  }

  func run(_ effort: MarkDetector.Effort) -> [Result] {
    let (width, height) = (size.width, size.height)
    let direct = GeometrySearch.direct(width: width, height: height)
    // Untouched first: what is exactly whole needs neither refinement, which may drift, nor a search for its place.
    let scores = search.scores(direct, in: total.map)
    let ordered = zip(direct, scores).sorted { $0.1 > $1.1 }.map(\.0)
    for candidate in ordered {
      if let result = attemptInPlace(candidate) { return result }
    }
    for candidate in ordered.prefix(2) {
      if let result = attempt(translations(candidate), "direct") { return result }
    }
    let refined = direct.map { search.refined($0, in: total.map) }.sorted { $0.score > $1.score }
    for candidate in refined.prefix(2) {
      if let result = attempt(translations(candidate.geometry), "direct refined") { return result }
    }
    guard effort == .full else { return [] }
    for candidate in ordered.prefix(2) {
      if let result = attemptParts(candidate, candidate.centre(of: size), "in place, parts") { return result }
    }

    var kept: [GeometrySearch.Scored] = []
    for grid in grids {
      let coarse = search.search(grid, width: width, height: height, in: total.map, keeping: 16)
      kept = coarse.map { search.refined($0.geometry, in: total.map) }.sorted { $0.score > $1.score }
      var placed: [[MarkReader.Translation]] = []
      for candidate in kept.prefix(8) {
        placed.append(translations(candidate.geometry))
        if let result = attempt(placed[placed.count - 1], "grid") { return result }
      }
      for candidate in placed.prefix(3) {
        for translation in candidate {
          if let result = attemptParts(translation.geometry, (translation.x, translation.y), "parts") { return result }
        }
      }
      for candidate in kept.prefix(2) {
        if let result = attemptLocally(candidate.geometry, "local") { return result }
      }
      let mean = spectra.mean
      if mean.count > 1 {
        let coarse = search.search(grid, width: width, height: height, in: mean.map, keeping: 16)
        let best = coarse.map { search.refined($0.geometry, in: mean.map) }.sorted { $0.score > $1.score }
        for candidate in best.prefix(8) {
          if let result = attemptSingles(candidate.geometry, "singles") { return result }
        }
      }
    }
    return []
  }

  private var grids: [GeometrySearch.Grid] {
    var wide = GeometrySearch.Grid()
    wide.rotations = -7...7
    wide.aspects = -0.044...0.044
    wide.turns = [false, true]
    return [GeometrySearch.Grid(), wide]
  }

  private func translations(_ geometry: Geometry) -> [MarkReader.Translation] {
    Array(reader.translations(geometry, in: total).prefix(2))
  }

  private func attempt(_ translations: [MarkReader.Translation], _ name: String) -> [Result]? {
    for translation in translations {
      let reading = reader.read(translation, in: total)
      if let result = decide(reading, name) { return result }
    }
    return nil
  }

  /// The whole picture, nothing cut off: its centre is where it was, either way up.
  private func attemptInPlace(_ geometry: Geometry) -> [Result]? {
    let centre = geometry.centre(of: size)
    for reversed in [false, true] {
      var geometry = geometry
      geometry.reversed = reversed
      let start = reader.near(centre.x, centre.y, geometry, in: total)
      if let result = decide(reader.read(start, in: total, refine: false), "in place") { return result }
    }
    return nil
  }

  /// The same place in each part of the whole, each weighted by how well it was received.
  private func attemptParts(_ geometry: Geometry, _ place: (x: Double, y: Double), _ name: String) -> [Result]? {
    var sum: MarkReading?
    for part in spectra.parts {
      let reading = reader.read(reader.near(place.x, place.y, geometry, in: part), in: part, refine: false)
      if sum == nil { sum = reading } else { sum?.combine(reading) }
    }
    return sum.flatMap { decide($0, name) }
  }

  /// Tile by tile: what perspective, a lens or a filmed screen has bent.
  private func attemptLocally(_ geometry: Geometry, _ name: String) -> [Result]? {
    for reversed in [false, true] {
      var geometry = geometry
      geometry.reversed = reversed
      if let reading = LocalReading(reader, geometry, in: total).read(), let result = decide(reading, name) { return result }
    }
    return nil
  }

  private func decide(_ reading: MarkReading, _ name: String) -> [Result]? {
    guard let first = accepted(reading, name) else { return nil }
    // Two averaged copies leave each id at half its amplitude: what one explains is taken away to see the other.
    var rest = reading
    let signs = decoder.signs(of: first.id)
    var product: Float = 0
    var energy: Float = 0
    for place in signs.indices {
      product += reading.values[place] * reading.amplitudes[place] * signs[place]
      energy += reading.amplitudes[place] * reading.amplitudes[place]
    }
    for place in signs.indices { rest.values[place] -= product / energy * reading.amplitudes[place] * signs[place] }
    guard let second = accepted(rest, name), second.id != first.id else { return [first] }
    return [first, second]
  }

  private func accepted(_ reading: MarkReading, _ name: String) -> Result? {
    attempts += 1
    guard let best = decoder.best(reading) else { return nil }
    if best.z > bestZ {
      bestZ = best.z
      stage = name
    }
    return best.z >= decoder.decision.threshold ? Result(id: best.id, z: best.z, geometry: reading.geometry, shift: reading.shift) : nil
  }

  /// Each single picture with its own translation and refinement; readings are added, the strongest first.
  private func attemptSingles(_ geometry: Geometry, _ name: String) -> [Result]? {
    var readings: [MarkReading] = []
    for spectrum in spectra.singles {
      let local = search.refined(geometry, in: spectrum.map, steps: [0.002, 0.001])
      guard let translation = reader.translations(local.geometry, in: spectrum, keeping: 1).first else { continue }
      readings.append(reader.read(translation, in: spectrum))
    }
    readings.sort { $0.synchronisation > $1.synchronisation }
    guard var sum = readings.first else { return nil }
    if let result = decide(sum, name) { return result }
    for (index, reading) in readings.dropFirst().enumerated() {
      sum.combine(reading)
      if index % 2 == 0 || index == readings.count - 2, let result = decide(sum, name) { return result }
    }
    return nil
  }
}

/// The mean of power maps: blind to translation, so that pictures that move against each other add up.
final class MarkSpectrumMean {
  let count: Int
  let map: rw_detect_map
  private let power: UnsafeMutablePointer<UInt8>

  init(_ spectra: [MarkSpectrum]) {
    let first = spectra[0]
    let size = first.rows * first.columns
    count = spectra.count
    var sums = [UInt16](repeating: 0, count: size)
    for spectrum in spectra { rw_detect_add_power(&sums, spectrum.power, size) }
    power = .allocate(capacity: size + 4)
    power.initialize(repeating: 0, count: size + 4)
    rw_detect_mean_power(sums, size, Int32(count), 1, power)
    var map = first.map
    map.power = UnsafePointer(power)
    self.map = map
  }

  deinit { power.deallocate() }
}
