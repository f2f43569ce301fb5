internal import CKernels
internal import MediaCore

extension MarkDetector {
  /// Least z of a part that counts as carrying a mark that the whole has shown: that of one expected id.
  private static let partThreshold = 7.8

  /// Finds where marks are, and searches the parts without one for others.
  ///
  /// - Parameter marks: what a search of the whole has found; at most one each key, or two that were averaged.
  func located(_ marks: [DetectedMark], effort: Effort) -> [DetectedMark] {
    guard !windows.isEmpty else { return marks }
    let groups = stride(from: 0, to: windows.count, by: 2).map { $0..<min($0 + 2, windows.count) }
    var result = marks
    var isTaken = [Bool](repeating: false, count: groups.count)
    func locate(_ index: Int) {
      for (place, group) in groups.enumerated() where carries(result[index], group) {
        isTaken[place] = true
        append(group, to: &result[index])
      }
      // Found in the sum of all and in no second alone: it is weak everywhere.
      if result[index].ranges.isEmpty { result[index].ranges = [windows[0].start..<end(of: windows.count - 1)] }
    }
    for index in result.indices { locate(index) }
    if marks.isEmpty && groups.count < 4 { return result }
    // Searches runs of at least two seconds without a mark, once each.
    var place = 0
    while place < groups.count {
      guard !isTaken[place] else {
        place += 1
        continue
      }
      var last = place
      while last + 1 < groups.count, !isTaken[last + 1] { last += 1 }
      let isPart = place > 0 || last < groups.count - 1
      if isPart, last > place {
        for mark in search(windows: groups[place].lowerBound..<groups[last].upperBound, effort: effort)
        where !result.contains(where: { $0.id == mark.id && $0.keyID == mark.keyID }) {
          result.append(mark)
          locate(result.count - 1)
        }
      }
      place = last + 1
    }
    return result
  }

  private func end(of window: Int) -> Double {
    window + 1 < windows.count ? windows[window + 1].start : windows[window].end + pictureSeconds
  }

  /// The usual distance of two pictures.
  private var pictureSeconds: Double {
    guard let last = windows.last, last.sum.pictures > 1 else { return 0.04 }
    return (last.end - last.start) / Double(last.sum.pictures - 1)
  }

  private func append(_ group: Range<Int>, to mark: inout DetectedMark) {
    let range = windows[group.lowerBound].start..<end(of: group.upperBound - 1)
    if let last = mark.ranges.last, last.upperBound >= range.lowerBound - 1e-6 {
      mark.ranges[mark.ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      mark.ranges.append(range)
    }
  }

  private func carries(_ mark: DetectedMark, _ group: Range<Int>) -> Bool {
    guard let key = keys.first(where: { $0.key.id == mark.keyID }), let geometry = geometries[mark.id]?.geometry else { return false }
    let spectrum = MarkSpectrum(sum(of: group))
    let local = key.search.refined(geometry, in: spectrum.map, steps: [0.002, 0.001]).geometry
    let signs = key.decoder.signs(of: mark.id)
    for candidate in [geometry, local] {
      guard let translation = key.reader.translations(candidate, in: spectrum, keeping: 1).first else { continue }
      statistics.attempts += 1
      if WordEvidence(key.reader.read(translation, in: spectrum)).z(signs) >= Self.partThreshold { return true }
    }
    return false
  }

  /// For each window, how well each place's sequence of variant lines fits.
  func segmentSamples(near mark: DetectedMark) -> [SegmentSample] {
    guard let key = keys.first(where: { $0.key.id == mark.keyID }), let found = geometries[mark.id] else { return [] }
    let sequences = SegmentMark.sequences(of: key.key)
    return windows.indices.map { index in
      let spectrum = MarkSpectrum(windows[index].sum)
      // Most videos stay where the whole was; what moves must be clearly better elsewhere.
      var start = (geometry: found.geometry, x: found.shift.x, y: found.shift.y, value: 0.0)
      let still = key.reader.read(start, in: spectrum, refine: false)
      if let moved = key.reader.translations(found.geometry, in: spectrum, keeping: 1).first {
        let reading = key.reader.read(moved, in: spectrum, refine: false)
        if reading.synchronisation > still.synchronisation + 2 { start = moved }
      }
      return SegmentSample(
        start: windows[index].start, end: end(of: index), fits: key.reader.variantFits(start, sequences, in: spectrum))
    }
  }
}
