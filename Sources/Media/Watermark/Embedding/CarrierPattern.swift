internal import CKernels
internal import MediaCore

/// The spatial pattern of one payload at one picture size, quantised to a signed byte a pixel.
///
/// Re Σ a_j exp(2πi k_j · u / 128) with u in units of 1/720 of the shorter side; synchronisation lines hold a quarter of
/// the energy, data lines three quarters (with variants .20, .45 and .35), within each group shared out by the power -slope
/// of the frequency. Scaled to root mean square 1, clipped at ±2.6 and scaled again.
struct CarrierPattern: Sendable {
  let size: FrameSize
  /// Rows after which the pattern repeats; the picture's height where it does not.
  let rows: Int
  /// Samples from one row to the next.
  let stride: Int
  let samples: [Int8]
  /// Value of one step of a sample, root mean square being 1.
  let step: Float

  static let clip: Float = 2.6

  /// Signs of the variant lines: real parts of the 96 lines, then imaginary parts.
  init(layout: CarrierLayout, word: CodeWord, size: FrameSize, variant: [Float]? = nil, slope: Double) {
    let short = min(size.width, size.height)
    let unit = Double(CarrierLayout.shortSide) / Double(short)
    let repeats = short * CarrierLayout.period % CarrierLayout.shortSide == 0
    let rows = repeats ? min(size.height, short * CarrierLayout.period / CarrierLayout.shortSide) : size.height
    let stride = (size.width + 63) / 64 * 64
    let energies: (synchronisation: Double, data: Double, variant: Double) = variant == nil ? (0.25, 0.75, 0) : (0.20, 0.45, 0.35)

    var x: [Int32] = []
    var y: [Int32] = []
    var real: [Float] = []
    var imaginary: [Float] = []
    func add(_ line: CarrierLayout.Line, _ amplitude: Double, _ re: Float, _ im: Float) {
      let (c, s) = (cosine(line.angle), sine(line.angle))
      x.append(Int32(line.x))
      y.append(Int32(line.y))
      real.append(Float(amplitude * (Double(re) * c - Double(im) * s)))
      imaginary.append(Float(amplitude * (Double(re) * s + Double(im) * c)))
    }
    // Amplitudes fall with the frequency; each group of lines keeps its energy.
    func shape(_ lines: [CarrierLayout.Line]) -> [Double] {
      let raw = lines.map { powerOf(Double($0.radiusSquared), -slope / 2) }
      let norm = (raw.reduce(0) { $0 + $1 * $1 } / Double(max(raw.count, 1))).squareRoot()
      return raw.map { $0 / norm }
    }
    let signs = layout.signs(of: word)
    let half = CarrierLayout.dataCount
    for (line, factor) in zip(layout.synchronisation, shape(layout.synchronisation)) {
      add(line, factor * (energies.synchronisation / Double(CarrierLayout.synchronisationCount)).squareRoot(), 1, 0)
    }
    let dataShape = shape(layout.data)
    for (j, line) in layout.data.enumerated() {
      add(line, dataShape[j] * (energies.data / Double(half) / 2).squareRoot(), signs[j], signs[j + half])
    }
    if let variant {
      let count = CarrierLayout.variantCount
      let variantShape = shape(layout.variant)
      for (j, line) in layout.variant.enumerated() {
        add(line, variantShape[j] * (energies.variant / Double(count) / 2).squareRoot(), variant[j], variant[j + count])
      }
    }

    var plane = [Float](repeating: 0, count: size.width * rows)
    rw_pattern_rows(
      x, y, real, imaginary, Int32(x.count), unit, Int32(CarrierLayout.period), Int32(size.width), 0, Int32(rows), &plane)
    var samples = [Int8](repeating: 0, count: stride * rows)
    step = rw_pattern_quantise(plane, Int32(size.width), Int32(rows), Self.clip, &samples, Int32(stride))
    self.size = size
    self.rows = rows
    self.stride = stride
    self.samples = samples
  }
}
