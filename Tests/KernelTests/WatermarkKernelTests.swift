import CKernels
import Testing

/// Each variant of the watermark kernels against the portable reference, odd sizes included, with guards around
/// everything that is written; the reference against arithmetic written out here.
@Suite struct WatermarkKernelTests {
  static let sizes: [(width: Int, height: Int)] = [(8, 8), (9, 11), (31, 17), (64, 40), (65, 9), (135, 75), (322, 50)]
  static var variants: [Int] { Array(1..<max(1, Int(rw_watermark_variant_count()))) }

  private struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
  }

  private static func tables() -> rw_watermark_tables {
    var tables = rw_watermark_tables()
    withUnsafeMutableBytes(of: &tables.strength) { bytes in
      let values = bytes.bindMemory(to: UInt16.self)
      for i in values.indices { values[i] = UInt16(min(300 + i * 11, 20480)) }
    }
    withUnsafeMutableBytes(of: &tables.luma) { bytes in
      let values = bytes.bindMemory(to: UInt16.self)
      for i in values.indices { values[i] = UInt16(min(90 + i * 2, 256)) }
    }
    return tables
  }

  /// A picture with flat, smooth and noisy parts, and extreme samples.
  private static func picture(_ width: Int, _ height: Int, stride: Int, maximum: Int) -> [UInt16] {
    var random = Random(state: UInt64(width * 31 + height))
    var picture = [UInt16](repeating: 0, count: stride * height)
    for y in 0..<height {
      for x in 0..<width {
        let kind = (x / 16 + y / 8) % 4
        let value: Int =
          switch kind {
          case 0: maximum / 3
          case 1: (x + y) * 3 % (maximum + 1)
          case 2: Int(random.next()) % (maximum + 1)
          default: random.next() % 2 == 0 ? 0 : maximum
          }
        picture[y * stride + x] = UInt16(value)
      }
    }
    return picture
  }

  @Test(arguments: sizes) func statisticsAndMask(_ width: Int, _ height: Int) {
    let stride = width + 5
    let columns = (width + 7) / 8
    let rows = (height + 7) / 8
    let count = columns * rows
    var tables = Self.tables()
    for depth in [8, 10] {
      let samples = Self.picture(width, height, stride: stride, maximum: (1 << depth) - 1)
      let bytes = samples.map { UInt8(truncatingIfNeeded: $0) }
      func run(_ variant: Int) -> ([Int16], [UInt8], [UInt16], UInt64) {
        let kernels = rw_watermark_variant(Int32(variant)).pointee
        var activity = [Int16](repeating: 77, count: count + 8)
        var mean = [UInt8](repeating: 77, count: count + 8)
        if depth == 8 {
          kernels.stats_u8(bytes, stride, Int32(width), Int32(height), &activity, &mean)
        } else {
          kernels.stats_u16(samples, stride, Int32(width), Int32(height), Int32(depth), &activity, &mean)
        }
        var scratch = [Int16](repeating: 0, count: 3 * count)
        var strength = [UInt16](repeating: 7777, count: count + 8)
        let squares = kernels.mask(activity, mean, Int32(columns), Int32(rows), &tables, &scratch, &strength)
        return (activity, mean, strength, squares)
      }
      let reference = run(0)
      for block in 0..<count {
        let left = min(block % columns * 8, width - 8)
        let top = min(block / columns * 8, height - 8)
        let scale = Double(1 << (depth - 8))
        var values: [Double] = []
        for place in 0..<64 {
          let index = (top + place / 8) * stride + left + place % 8
          values.append(Double(samples[index]) / scale)
        }
        let mean: Double = values.reduce(0, +) / 64
        var variance = 0.0
        for value in values { variance += (value - mean) * (value - mean) / 64 }
        #expect(abs(Double(reference.1[block]) - mean) <= 1)
        // log2 of 4096 times the variance by the float's bits: at most 0.09 below, and floored to 1/32.
        if variance >= 1 { #expect(abs(Double(reference.0[block]) / 32 - Double.log2Of(4096 * variance)) < 0.13) }
      }
      #expect(reference.2[..<count].reduce(UInt64(0)) { $0 + UInt64($1) * UInt64($1) } == reference.3)
      #expect(Array(reference.2[count...]) == [UInt16](repeating: 7777, count: 8))
      for variant in Self.variants {
        let result = run(variant)
        #expect(result.0 == reference.0 && result.1 == reference.1 && result.2 == reference.2 && result.3 == reference.3)
      }
    }
  }

  @Test(arguments: sizes) func embedding(_ width: Int, _ height: Int) {
    let stride = width + 3
    let patternRows = 13
    let patternStride = width + 2
    let columns = (width + 7) / 8
    let rows = (height + 7) / 8
    var random = Random(state: 3)
    let pattern = (0..<(patternRows * patternStride)).map { _ in Int8(truncatingIfNeeded: Int(random.next() % 255) - 127) }
    let amplitude = (0..<(columns * rows)).map { _ in Int16(random.next() % 14000) }
    for depth in [8, 10] {
      let maximum = (1 << depth) - 1
      let samples = Self.picture(width, height, stride: stride, maximum: maximum)
      let bytes = samples.map { UInt8(truncatingIfNeeded: $0) }
      func run(_ variant: Int) -> [UInt16] {
        let kernels = rw_watermark_variant(Int32(variant)).pointee
        var scratch = [Int16](repeating: 0, count: 2 * (width + 64))
        if depth == 8 {
          var out = [UInt8](repeating: 201, count: stride * height)
          kernels.embed_u8(
            &out, stride, bytes, stride, Int32(width), Int32(height), amplitude, pattern, patternStride, Int32(patternRows), &scratch)
          return out.map { UInt16($0) }
        }
        var out = [UInt16](repeating: 201, count: stride * height)
        kernels.embed_u16(
          &out, stride, samples, stride, Int32(width), Int32(height), Int32(depth), amplitude, pattern, patternStride,
          Int32(patternRows), &scratch)
        return out
      }
      let reference = run(0)
      for y in 0..<height {
        for x in 0..<stride where x >= width { #expect(reference[y * stride + x] == 201) }
        for x in 0..<width {
          let exact = Self.interpolated(amplitude, columns, rows, x: x, y: y)
          let change = Double(pattern[y % patternRows * patternStride + x]) * exact / 32768
          let expected = min(max(Double(samples[y * stride + x]) + change, 0), Double(maximum))
          #expect(abs(Double(reference[y * stride + x]) - expected) <= 0.52)
        }
      }
      for variant in Self.variants { #expect(run(variant) == reference) }
    }
  }

  /// Bilinear interpolation between block centres at (8i + 3.5), edges repeated.
  private static func interpolated(_ values: [Int16], _ columns: Int, _ rows: Int, x: Int, y: Int) -> Double {
    let u = min(max((Double(x) - 3.5) / 8, 0), Double(columns - 1))
    let v = min(max((Double(y) - 3.5) / 8, 0), Double(rows - 1))
    let (i, j) = (Int(u), Int(v))
    let (i1, j1) = (min(i + 1, columns - 1), min(j + 1, rows - 1))
    func at(_ i: Int, _ j: Int) -> Double { Double(values[j * columns + i]) }
    let (a, b) = (u - Double(i), v - Double(j))
    return (1 - b) * ((1 - a) * at(i, j) + a * at(i1, j)) + b * ((1 - a) * at(i, j1) + a * at(i1, j1))
  }
}

extension Double {
  /// Base-2 logarithm without a mathematics library: exponent plus the series of the significand.
  fileprivate static func log2Of(_ value: Double) -> Double {
    var fraction = value.significand
    var result = Double(value.exponent)
    var bit = 0.5
    for _ in 0..<40 {
      fraction *= fraction
      if fraction >= 2 {
        fraction /= 2
        result += bit
      }
      bit /= 2
    }
    return result
  }
}

/// Variants of the detector's kernels against the portable reference.
@Suite struct DetectKernelTests {
  static var variants: [Int] { Array(1..<max(1, Int(rw_detect_variant_count()))) }

  @Test(arguments: [(16, 16), (33, 18), (129, 70)]) func residual(_ width: Int, _ height: Int) {
    let stride = width + 3
    var state: UInt64 = 7
    let luma = (0..<(stride * height)).map { index -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return index % stride < width / 2 ? UInt8(truncatingIfNeeded: state >> 56) : 90
    }
    func run(_ variant: Int) -> [Float] {
      var sum = [Float](repeating: 0.5, count: width * height + 8)
      var scratch = [Float](repeating: 0, count: rw_detect_residual_scratch(Int32(width), Int32(height)))
      rw_detect_variant(Int32(variant)).pointee.residual_u8(luma, stride, Int32(width), Int32(height), &scratch, &sum)
      return sum
    }
    let reference = run(0)
    #expect(reference.allSatisfy { $0 >= -1.51 && $0 <= 2.51 })
    #expect(Array(reference.suffix(8)) == [Float](repeating: 0.5, count: 8))
    for variant in Self.variants {
      #expect(zip(run(variant), reference).allSatisfy { abs($0 - $1) < 1e-3 })
    }
  }

  @Test func scores() {
    let (columns, origin) = (60, 40)
    let rows = 2 * origin + 1
    var state: UInt64 = 11
    var power = (0..<(columns * rows + 4)).map { _ -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return UInt8(truncatingIfNeeded: state >> 58)
    }
    let x = (0..<32).map { Float($0 % 8 + 1) }
    let y = (0..<32).map { Float($0 / 8 * 3 - 5) }
    let weights = (0..<32).map { Int32($0 % 5 + 1) }
    let matrices = (0..<40).flatMap { i -> [Float] in
      let angle = Float(i) / 100
      return [0.01 + Float(i) * 0.0006, -angle * 0.01, angle * 0.01, 0.011 + Float(i) * 0.0004]
    }
    func run(_ variant: Int) -> [Float] {
      var scores = [Float](repeating: -1, count: 41)
      power.withUnsafeMutableBufferPointer { buffer in
        var map = rw_detect_map(
          power: buffer.baseAddress, columns: Int32(columns), rows: Int32(rows), origin: Int32(origin), column_step: 0.45 / 56,
          row_step: 0.45 / 38)
        rw_detect_variant(Int32(variant)).pointee.score(&map, x, y, weights, 32, matrices, 40, 5, &scores)
      }
      return scores
    }
    let reference = run(0)
    #expect(reference[40] == -1 && reference[0] != 0)
    for variant in Self.variants {
      // Rounding of a frequency to a bin may differ where it lies half-way.
      #expect(zip(run(variant), reference).filter { abs($0 - $1) > 0.3 }.count <= 1)
    }
  }
}
