internal import CKernels
public import MediaCore

/// A mark that was found.
public struct DetectedMark: Sendable, Hashable {
  public var id: WatermarkID
  public var keyID: WatermarkKeyID
  /// The decision statistic; see `MarkDecision`.
  public var z: Double
  /// Base-10 logarithm of the bound on the chance of a false positive for the whole search.
  public var log10FalsePositive: Double
  /// Half-open stretches of the input in seconds in which the mark was seen.
  public var ranges: [Range<Double>]
  public var transform: MarkTransform
}

/// Finds marks in luma planes of one size. Not thread-safe.
///
/// Add pictures in presentation order, then call `search`. Memory is bounded: at most `windowCount` sums of pictures and
/// as many single pictures of at most 2 MB each at 1080p, however long the input is.
public final class MarkDetector {
  /// How much work a search may do.
  public enum Effort: Int, Sendable, Comparable {
    /// Only the hypotheses that the picture is whole: scaled, mirrored or turned.
    case direct
    /// Crops, stretches, small rotations, pictures in pictures; varying translation and scale.
    case full

    public static func < (left: Effort, right: Effort) -> Bool { left.rawValue < right.rawValue }
  }

  /// What a search did.
  public struct Statistics: Sendable {
    public var pictures = 0
    /// Readings that were tested for an id, over all keys.
    public var attempts = 0
    /// The largest z of a candidate, accepted or not.
    public var bestZ = 0.0
    /// The stage that the best candidate came from.
    public var stage = ""
  }

  static let windowCount = 64

  public internal(set) var statistics = Statistics()
  public let size: FrameSize
  /// Received pixels a pixel of the planes that are searched.
  let decimation: Int
  let planeSize: FrameSize
  let keys: [(key: WatermarkKey, reader: MarkReader, decoder: MarkDecoder, search: GeometrySearch)]
  private let kernels = rw_detect_variant(rw_detect_variant_count() - 1).pointee
  private var scratch: UnsafeMutablePointer<Float>
  private var reduced: UnsafeMutablePointer<UInt8>
  var windows: [Window] = []
  private var windowDuration: Double
  /// Under which geometry and translation each id was found.
  var geometries: [WatermarkID: (geometry: Geometry, shift: (x: Double, y: Double))] = [:]

  /// Pictures of one stretch of time: their sum, and the first alone.
  struct Window {
    var start: Double
    var end: Double
    var sum: Accumulator
    var single: Accumulator
  }

  /// Throws `usage` when the picture is too small to be searched.
  public init(keys: [WatermarkKey], decision: MarkDecision, size: FrameSize, decimation: Int? = nil, windowSeconds: Double = 0.5)
    throws(MediaError)
  {
    guard min(size.width, size.height) >= MarkEmbedder.leastSide else {
      throw MediaError(
        .usage, "cannot search a picture of \(size)", reason: "its shorter side is below \(MarkEmbedder.leastSide) pixels",
        advice: "search a larger rendition; 240 pixels and more are enough for most videos")
    }
    self.size = size
    // Short windows serve inputs of 15 s; `add` doubles them when there are more than fit.
    windowDuration = windowSeconds
    self.decimation = decimation ?? max(1, min(size.width, size.height) / 480)
    planeSize = FrameSize(size.width / self.decimation, size.height / self.decimation)
    self.keys = keys.map { key in
      let layout = CarrierLayout(key: key)
      return (key, MarkReader(layout: layout), MarkDecoder(layout: layout, decision: decision), GeometrySearch(layout: layout))
    }
    scratch = .allocate(capacity: rw_detect_residual_scratch(Int32(planeSize.width), Int32(planeSize.height)))
    reduced = .allocate(capacity: planeSize.width * planeSize.height)
  }

  deinit {
    scratch.deallocate()
    reduced.deallocate()
  }

  /// Adds a picture of 8-bit samples shown at `time` seconds.
  package func add(_ luma: UnsafePointer<UInt8>, stride: Int, time: Double) {
    rw_detect_decimate_u8(luma, stride, Int32(size.width), Int32(size.height), Int32(decimation), reduced)
    addReduced(time)
  }

  /// Adds a picture of samples of `depth` bits.
  package func add(_ luma: UnsafePointer<UInt16>, stride: Int, depth: Int, time: Double) {
    rw_detect_decimate_u16(luma, stride, Int32(size.width), Int32(size.height), Int32(depth), Int32(decimation), reduced)
    addReduced(time)
  }

  private func addReduced(_ time: Double) {
    statistics.pictures += 1
    let (width, height) = (planeSize.width, planeSize.height)
    let opens = windows.last.map { time >= $0.start + windowDuration } ?? true
    if opens {
      if windows.count == Self.windowCount { mergeWindows() }
      let window = Window(
        start: time, end: time, sum: Accumulator(width: width, height: height), single: Accumulator(width: width, height: height))
      kernels.residual_u8(reduced, width, Int32(width), Int32(height), scratch, window.single.values)
      window.single.pictures = 1
      window.sum.add(window.single)
      windows.append(window)
    } else {
      let sum = windows[windows.count - 1].sum
      kernels.residual_u8(reduced, width, Int32(width), Int32(height), scratch, sum.values)
      sum.pictures += 1
      windows[windows.count - 1].end = time
    }
  }

  /// Halves the number of windows, each twice as long.
  private func mergeWindows() {
    var merged: [Window] = []
    for pair in stride(from: 0, to: windows.count, by: 2) {
      var window = windows[pair]
      if pair + 1 < windows.count {
        window.sum.add(windows[pair + 1].sum)
        window.end = windows[pair + 1].end
      }
      merged.append(window)
    }
    windows = merged
    windowDuration *= 2
  }

  func sum(of indices: Range<Int>) -> Accumulator {
    let total = Accumulator(width: planeSize.width, height: planeSize.height)
    for index in indices { total.add(windows[index].sum) }
    return total
  }

  /// Searches what was added so far, for every key; a key's search ends with its first mark, or with two that were averaged.
  public func search(_ effort: Effort = .full) -> [DetectedMark] {
    windows.isEmpty ? [] : search(windows: 0..<windows.count, effort: effort)
  }

  func search(windows range: Range<Int>, effort: Effort) -> [DetectedMark] {
    let spectra = WindowSpectra(windows[range], total: sum(of: range))
    return keys.flatMap { key in
      let run = MarkSearch(spectra: spectra, size: planeSize, reader: key.reader, decoder: key.decoder, search: key.search)
      let found = run.run(effort)
      statistics.attempts += run.attempts
      if run.bestZ > statistics.bestZ {
        statistics.bestZ = run.bestZ
        statistics.stage = run.stage
      }
      return found.map { result in
        geometries[result.id] = (result.geometry, result.shift)
        return DetectedMark(
          id: result.id, keyID: key.key.id, z: result.z,
          log10FalsePositive: key.decoder.decision.commonLogarithmOfFalsePositive(z: result.z, attempts: statistics.attempts),
          ranges: [], transform: result.geometry.transform(decimation: decimation))
      }
    }
  }

  /// A full search for each of many keys, one after the other: what each did, for experiments. The detector's own keys do
  /// not take part.
  package func searches(with keys: [WatermarkKey], decision: MarkDecision) -> [(marks: [WatermarkID], statistics: Statistics)] {
    guard !windows.isEmpty else { return [] }
    let spectra = WindowSpectra(windows[...], total: sum(of: windows.indices))
    return keys.map { key in
      let layout = CarrierLayout(key: key)
      let run = MarkSearch(
        spectra: spectra, size: planeSize, reader: MarkReader(layout: layout), decoder: MarkDecoder(layout: layout, decision: decision),
        search: GeometrySearch(layout: layout))
      let found = run.run(.full).map(\.id)
      return (found, Statistics(pictures: statistics.pictures, attempts: run.attempts, bestZ: run.bestZ, stage: run.stage))
    }
  }

  /// How well the first key's mark `id` is received where nothing was done but scaling: its z and the strength of the
  /// synchronisation, without any search. For experiments.
  package func known(_ id: WatermarkID) -> (z: Double, synchronisation: Double) {
    let spectrum = MarkSpectrum(sum(of: windows.indices))
    let geometry = GeometrySearch.direct(width: planeSize.width, height: planeSize.height)[0]
    let key = keys[0]
    let centre = geometry.centre(of: size)
    let best = key.reader.read(key.reader.near(centre.x, centre.y, geometry, in: spectrum), in: spectrum, refine: false)
    return (WordEvidence(best).z(key.decoder.signs(of: id)), Double(best.synchronisation))
  }
}
