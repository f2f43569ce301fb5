import CKernels
import Glibc
import Testing

@Suite struct TransitionKernelTests {
  static let sizes = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 540, 1080, 1919]

  static var variants: [rw_transition_kernels] { [Int32(RW_ISA_AVX2)].compactMap { rw_transition_kernels_for($0)?.pointee } }
  static var scalar: rw_transition_kernels { rw_transition_kernels_for(Int32(RW_ISA_SCALAR))!.pointee }

  @Test("Every variant gives the samples of scalar and writes nothing else", arguments: transitionKernels)
  func variants(kernel: TransitionKernel) {
    for (index, n) in Self.sizes.enumerated() {
      for seed in [UInt64(index + 1), UInt64(index + 40)] {
        let bytes = kernel.outputBytes(n)
        var expected = [UInt8](repeating: 0xA5, count: bytes + 64)
        expected.withUnsafeMutableBytes { kernel.run(Self.scalar, n, seed, $0.baseAddress!) }
        #expect(expected[bytes...].allSatisfy { $0 == 0xA5 }, "scalar wrote past \(n)")
        for variant in Self.variants {
          var output = [UInt8](repeating: 0xA5, count: bytes + 64)
          output.withUnsafeMutableBytes { kernel.run(variant, n, seed, $0.baseAddress!) }
          #expect(output == expected, "\(String(cString: variant.name)) differs for \(n) samples")
        }
      }
    }
  }

  @Test("Weights are exact at both ends and monotonic between", arguments: [255, 1023, 4095])
  func weights(max: UInt16) {
    let k = Self.variants.first ?? Self.scalar
    let a: [UInt16] = [0, max, 17, max / 2]
    let b: [UInt16] = [max, 0, 300 % max, 3]
    var previous: [UInt16] = a
    for weight in stride(from: 0, through: 32767, by: 7) {
      var out = [UInt16](repeating: 0, count: 4)
      k.crossfade16(&out, a, b, 4, Int32(weight == 32767 - 32767 % 7 ? 32767 : weight))
      #expect(out[0] >= previous[0] && out[1] <= previous[1])
      if weight == 0 { #expect(out == a) }
      previous = out
    }
    #expect(previous == b)
  }

  @Test("Mask values are within half a level of a + (b - a) m / 255")
  func maskBlend() {
    for m in 0...255 {
      for (a, b) in [(0, 255), (255, 0), (16, 235), (100, 101), (200, 30)] {
        var out: [UInt8] = [0]
        Self.scalar.blend8(&out, [UInt8(a)], [UInt8(b)], [UInt8(m)], 1)
        #expect(abs(Double(out[0]) - (Double(a) + Double(b - a) * Double(m) / 255)) <= 0.52)
      }
    }
  }

  @Test("A field's mask follows its definition", arguments: [1, 5, 300, 4096, 20000, 32767], [false, true])
  func field(softness: Int, smooth: Bool) {
    let field = (0..<2048).map { Int16($0 * 16) }
    for position in stride(from: -1000, through: 32767, by: 1111) {
      var mask = [UInt8](repeating: 0, count: field.count)
      var front = rw_front(position: Int32(position), softness: Int32(softness), smooth: smooth ? 1 : 0)
      _ = Self.scalar.maskFromField(&mask, field, field.count, &front)
      for (value, m) in zip(field, mask) {
        var t = min(max(Double(position - Int(value)) / Double(softness), 0), 1)
        if smooth { t = t * t * (3 - 2 * t) }
        #expect(abs(Double(m) - t * 255) <= 1.01)
      }
    }
  }

  static func withPictures(_ list: [TestPicture], _ body: ([rw_picture]) -> Void) {
    var pictures: [rw_picture] = []
    func next(_ rest: ArraySlice<TestPicture>) {
      guard let picture = rest.first else { return body(pictures) }
      picture.planes[0].withUnsafeBufferPointer { y in
        picture.planes[1].withUnsafeBufferPointer { u in
          picture.planes[2].withUnsafeBufferPointer { v in
            func mutable(_ p: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<UInt8> { UnsafeMutablePointer(mutating: p.baseAddress!) }
            pictures.append(
              rw_picture(
                plane: (mutable(y), mutable(u), mutable(v)), stride: (picture.strides[0], picture.strides[1], picture.strides[2]),
                width: Int32(picture.width), height: Int32(picture.height), depth: Int32(picture.bits)))
            next(rest.dropFirst())
          }
        }
      }
    }
    next(list[...])
  }

  static func sample(_ picture: rw_picture, _ plane: Int, _ x: Int, _ y: Int) -> Double {
    let bases = [picture.plane.0!, picture.plane.1!, picture.plane.2!]
    let strides = [picture.stride.0, picture.stride.1, picture.stride.2]
    let row = UnsafeRawPointer(bases[plane] + y * strides[plane])
    if picture.depth == 8 { return Double(row.load(fromByteOffset: x, as: UInt8.self)) }
    return Double(row.load(fromByteOffset: 2 * x, as: UInt16.self))
  }

  /// The largest difference between the samples of `picture` and `expected(plane, x, y)`.
  static func worst(_ picture: rw_picture, _ expected: (Int, Int, Int) -> Double) -> Double {
    var worst = 0.0
    for plane in 0..<3 {
      let width = plane == 0 ? Int(picture.width) : Int(picture.width + 1) / 2
      let height = plane == 0 ? Int(picture.height) : Int(picture.height + 1) / 2
      for y in 0..<height {
        for x in 0..<width { worst = max(worst, abs(sample(picture, plane, x, y) - expected(plane, x, y))) }
      }
    }
    return worst
  }

  @Test("A mask blend of a picture follows the definition, chroma by the mask's mean", arguments: [8, 10], [(6, 4), (7, 5), (521, 3)])
  func maskOfPicture(bits: Int, size: (Int, Int)) {
    let (width, height) = size
    let list = (1...3).map { TestPicture(width, height, bits: bits, seed: UInt64($0)) }
    let mask = noiseBytes(width * height, 5)
    func maskAt(_ x: Int, _ y: Int) -> Double { Double(mask[min(y, height - 1) * width + min(x, width - 1)]) }
    Self.withPictures(list) { pictures in
      for kernels in [rw_transition_kernels_for(Int32(RW_ISA_SCALAR))!, rw_transition_kernels_best()!] {
        var (dst, a, b) = (pictures[2], pictures[0], pictures[1])
        rw_picture_blend_mask(kernels, &dst, &a, &b, mask, width, 0, Int32(height))
        let worst = Self.worst(dst) { plane, x, y in
          var m = maskAt(x, y)
          if plane > 0 {
            let sum = maskAt(2 * x, 2 * y) + maskAt(2 * x + 1, 2 * y) + maskAt(2 * x, 2 * y + 1) + maskAt(2 * x + 1, 2 * y + 1)
            m = (sum / 4 + 0.01).rounded()
          }
          let p = Self.sample(a, plane, x, y)
          return p + (Self.sample(b, plane, x, y) - p) * m / 255
        }
        #expect(worst <= (bits == 8 ? 0.52 : 0.6))
      }
    }
  }

  @Test(
    "A field blend equals the mask blend by that field's mask", arguments: [(8, Int32(1)), (8, 3000), (10, 1), (10, 3000)],
    [(6, 4), (1031, 5)])
  func fieldOfPicture(kind: (bits: Int, softness: Int32), size: (Int, Int)) {
    let (bits, softness) = kind
    let (width, height) = size
    let list = (1...4).map { TestPicture(width, height, bits: bits, seed: UInt64($0)) }
    let field = (0..<height).flatMap { y in (0..<width).map { Int16(min(32767, $0 * 30 + y * 400)) } }
    var front = rw_front(position: 9000, softness: softness, smooth: 1)
    var mask = [UInt8](repeating: 0, count: field.count)
    _ = Self.scalar.maskFromField(&mask, field, field.count, &front)
    Self.withPictures(list) { pictures in
      var (one, two, a, b) = (pictures[2], pictures[3], pictures[0], pictures[1])
      rw_picture_blend_field(rw_transition_kernels_best(), &one, &a, &b, field, width, &front, 0, Int32(height))
      rw_picture_blend_mask(rw_transition_kernels_best(), &two, &a, &b, mask, width, 0, Int32(height))
      #expect(Self.worst(one) { Self.sample(two, $0, $1, $2) } == 0)
    }
  }

  @Test(
    "Slices give what the whole picture gives, and leave other rows alone",
    arguments: [(33, 17), (64, 32)])
  func slices(size: (Int, Int)) {
    let list = (1...4).map { TestPicture(size.0, size.1, seed: UInt64($0)) }
    let height = Int32(size.1)
    Self.withPictures(list) { pictures in
      var (one, two, a, b) = (pictures[2], pictures[3], pictures[0], pictures[1])
      rw_picture_crossfade(rw_transition_kernels_best(), &one, &a, &b, 11111, 0, height)
      for y in stride(from: Int32(0), to: height, by: 6) {
        rw_picture_crossfade(rw_transition_kernels_best(), &two, &a, &b, 11111, y, min(y + 6, height))
      }
      #expect(Self.worst(one) { Self.sample(two, $0, $1, $2) } == 0)
    }
  }

  @Test("A whole window is the identity; a shifted one moves a ramp by exactly that much", arguments: [8, 10], [0, 1])
  func resampling(bits: Int, filter: Int32) {
    let (width, height) = (70, 38)
    let source = TestPicture(width, height, bits: bits, seed: 3)
    let target = TestPicture(width, height, bits: bits, seed: 4)
    let resampler = rw_resampler_create()
    defer { rw_resampler_free(resampler) }
    Self.withPictures([source, target]) { pictures in
      for kernels in [rw_transition_kernels_for(Int32(RW_ISA_SCALAR))!, rw_transition_kernels_best()!] {
        var (src, dst) = (pictures[0], pictures[1])
        var window = rw_window(x: 0, y: 0, width: Double(width), height: Double(height))
        #expect(rw_picture_resample(kernels, resampler, &dst, 0, 0, Int32(width), Int32(height), &src, &window, filter) == 0)
        #expect(Self.worst(dst) { Self.sample(src, $0, $1, $2) } == 0)
      }
      // A ramp: luma grows by 2 a column and 1 a row, chroma by 4 and 2, so that positions can be read off the values.
      var (src, dst) = (pictures[0], pictures[1])
      Self.fill(src) { plane, x, y in plane == 0 ? 20 + 2 * x + y : 16 + 4 * x + 2 * y }
      for (dx, dy, zoom) in [(0.25, 0.0, 1.0), (3.375, 1.5, 1.0), (2.0, 1.0, 1.7), (4.5, 3.25, 3.0)] {
        var window = rw_window(x: dx, y: dy, width: Double(width) / zoom, height: Double(height) / zoom)
        #expect(
          rw_picture_resample(rw_transition_kernels_best(), resampler, &dst, 0, 0, Int32(width), Int32(height), &src, &window, filter) == 0)
        for (x, y) in [(10, 8), (20, 20), (41, 14), (30, 21)] {
          let (px, py) = (dx + (Double(x) + 0.5) / zoom - 0.5, dy + (Double(y) + 0.5) / zoom - 0.5)
          #expect(abs(Self.sample(dst, 0, x, y) - (20 + 2 * px + py)) <= 0.51)
          // Chroma sample (i, j) sits at luma column 2i and between rows 2j and 2j + 1.
          let cx = dx + (2 * Double(x / 2) + 0.5) / zoom - 0.5
          let cy = dy + (2 * Double(y / 2) + 1) / zoom - 0.5
          #expect(abs(Self.sample(dst, 1, x / 2, y / 2) - (16 + 4 * cx / 2 + 2 * (cy - 0.5) / 2)) <= 0.51)
        }
      }
    }
  }

  static func meanDifference(_ one: rw_picture, _ two: rw_picture) -> Double {
    var sum = 0.0
    var count = 0.0
    for plane in 0..<3 {
      for y in 0..<(plane == 0 ? Int(one.height) : Int(one.height + 1) / 2) {
        for x in 0..<(plane == 0 ? Int(one.width) : Int(one.width + 1) / 2) {
          sum += abs(sample(one, plane, x, y) - sample(two, plane, x, y))
          count += 1
        }
      }
    }
    return sum / count
  }

  static func field(_ kind: Int32, _ isa: Int32, _ size: (Int, Int), _ direction: (Float, Float), inverted: Int32) -> [Int16] {
    let map: [UInt8] = [0, 80, 160, 255]
    var field = [Int16](repeating: -1, count: size.0 * size.1)
    map.withUnsafeBufferPointer { map in
      var shape = rw_field_shape()
      shape.shape = kind
      (shape.directionX, shape.directionY) = direction
      (shape.centerX, shape.centerY) = (Float(size.0) / 2, Float(size.1) / 2)
      (shape.offset, shape.count, shape.seed) = (0.5, 4, 9)
      shape.size = kind == RW_SHAPE_RECTANGLE ? 0 : 16
      (shape.inverted, shape.scale) = (inverted, 30000)
      (shape.map, shape.mapStride, shape.mapWidth, shape.mapHeight) = (map.baseAddress, 2, 2, 2)
      rw_field_build(isa, &field, size.0, Int32(size.0), Int32(size.1), &shape, 0, Int32(size.1))
    }
    return field
  }

  @Test("Fields of every shape lie in their range and agree between instruction sets", arguments: 0..<Int32(RW_SHAPE_COUNT))
  func fields(kind: Int32) {
    let (width, height) = (203, 77)
    for direction in [(Float(-1), Float(0)), (0, 1), (0.6, 0.8)] {
      for inverted in [Int32(0), 1] {
        let field = Self.field(kind, Int32(RW_ISA_SCALAR), (width, height), direction, inverted: inverted)
        #expect(field.allSatisfy { (0...30000).contains($0) })
        // Most of the range is used (xfade's slices leave a third), or the transition would begin or end with a jump.
        let span = Int(field.max()!) - Int(field.min()!)
        #expect(span > 17000)
        guard !Self.variants.isEmpty else { continue }
        // Rounding of fused multiply-adds may turn a periodic shape over at single samples.
        let other = Self.field(kind, Int32(RW_ISA_AVX2), (width, height), direction, inverted: inverted)
        let different = zip(field, other).count { abs(Int($0) - Int($1)) > 2 }
        #expect(different <= width * height / 200, "\(different) samples differ")
      }
    }
  }

  @Test("Warps write every sample and agree between instruction sets", arguments: 0..<Int32(RW_WARP_COUNT), [8, 10])
  func warps(program: Int32, bits: Int) {
    for (width, height) in [(67, 33), (320, 48), (3, 3)] {
      let list = (1...4).map { TestPicture(width, height, bits: bits, seed: UInt64($0)) }
      Self.withPictures(list) { pictures in
        // Smooth pictures: places that differ by rounding then give nearly the same sample.
        for (index, picture) in pictures.prefix(2).enumerated() {
          Self.fill(picture) { plane, x, y in ((40 + 90 * index + 20 * plane + x / 4 + y / 2) & 255) << (bits - 8) }
        }
        var (one, two, a, b) = (pictures[2], pictures[3], pictures[0], pictures[1])
        for progress: Float in [0.07, 0.5, 0.81] {
          var warp = rw_warp()
          (warp.program, warp.progress, warp.directionX) = (program, progress, -1)
          (warp.centerX, warp.centerY, warp.count) = (Float(width) / 2, Float(height) / 2, 6)
          (warp.strength, warp.amount, warp.seed) = (1, 0.05, 3)
          rw_picture_warp(Int32(RW_ISA_SCALAR), &one, &a, &b, &warp, 0, Int32(height))
          // Drawn over another picture in slices, to the same result.
          for y in stride(from: Int32(0), to: Int32(height), by: 4) {
            rw_picture_warp(Int32(RW_ISA_SCALAR), &two, &a, &b, &warp, y, min(y + 4, Int32(height)))
          }
          let slices = Self.meanDifference(one, two)
          #expect(slices == 0)
          guard !Self.variants.isEmpty else { continue }
          rw_picture_warp(Int32(RW_ISA_AVX2), &two, &a, &b, &warp, 0, Int32(height))
          let mean = Self.meanDifference(one, two)
          #expect(mean < Double(1 << (bits - 8)) * 0.25, "\(width)x\(height) at \(progress)")
        }
      }
    }
  }

  @Test("A blur keeps flat pictures flat and spreads a point by its sigma", arguments: [8, 10])
  func blur(bits: Int) {
    let (width, height) = (101, 71)
    let list = [TestPicture(width, height, bits: bits, seed: 1), TestPicture(width, height, bits: bits, seed: 2)]
    Self.withPictures(list) { pictures in
      var (src, dst) = (pictures[0], pictures[1])
      var scratch = [UInt16](repeating: 0, count: (rw_blur_scratch(Int32(width), Int32(height)) + 1) / 2)
      Self.fill(src) { plane, _, _ in 77 + plane }
      rw_picture_blur(&dst, &src, 6, &scratch)
      #expect(Self.worst(dst) { plane, _, _ in Double(77 + plane) } == 0)
      // A bar of full scale: its variance grows by sigma².
      Self.fill(src) { plane, x, _ in plane == 0 && (46...54).contains(x) ? 1 << bits - 1 : 0 }
      rw_picture_blur(&dst, &src, 6, &scratch)
      var (sum, square) = (0.0, 0.0)
      for x in 0..<width {
        let value = Self.sample(dst, 0, x, 35)
        sum += value
        square += value * Double((x - 50) * (x - 50))
      }
      #expect(abs((square / sum - 60.0 / 9).squareRoot() - 6) < 0.5)
    }
  }

  static func fill(_ picture: rw_picture, _ value: (Int, Int, Int) -> Int) {
    let bases = [picture.plane.0!, picture.plane.1!, picture.plane.2!]
    let strides = [picture.stride.0, picture.stride.1, picture.stride.2]
    for plane in 0..<3 {
      for y in 0..<(plane == 0 ? Int(picture.height) : Int(picture.height + 1) / 2) {
        for x in 0..<(plane == 0 ? Int(picture.width) : Int(picture.width + 1) / 2) {
          let row = UnsafeMutableRawPointer(bases[plane] + y * strides[plane])
          if picture.depth == 8 {
            row.storeBytes(of: UInt8(clamping: value(plane, x, y)), toByteOffset: x, as: UInt8.self)
          } else {
            row.storeBytes(of: UInt16(value(plane, x, y)), toByteOffset: 2 * x, as: UInt16.self)
          }
        }
      }
    }
  }

  @Test(
    "Benchmark: microseconds of CPU time for a row kernel over a 1920x1080 4:2:0 picture's samples",
    .enabled(if: getenv("REELWRIGHT_BENCH") != nil, "set REELWRIGHT_BENCH=1 and build for release"))
  func benchmark() {
    for bits in [8, 10] {
      let list = (1...3).map { TestPicture(1920, 1080, bits: bits, seed: UInt64($0)) }
      let mask = noiseBytes(1920 * 1080, 3)
      let field = Self.field(Int32(RW_SHAPE_LINEAR), Int32(RW_ISA_SCALAR), (1920, 1080), (-1, 0), inverted: 0)
      Self.withPictures(list) { pictures in
        for variant in [Int32(RW_ISA_SCALAR), Int32(RW_ISA_AVX2)] {
          guard let k = rw_transition_kernels_for(variant) else { continue }
          Self.benchmark(k, variant, pictures[2], pictures[0], pictures[1], mask, field)
        }
      }
    }
  }

  private static func benchmark(
    _ k: UnsafePointer<rw_transition_kernels>, _ isa: Int32, _ dst: rw_picture, _ a: rw_picture, _ b: rw_picture, _ mask: [UInt8],
    _ field: [Int16]
  ) {
    let resampler = rw_resampler_create()
    defer { rw_resampler_free(resampler) }
    func measure(_ name: String, _ body: () -> Void) {
      var best = Int.max
      for _ in 0..<15 {
        var (start, end) = (timespec(), timespec())
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
        body()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
        best = min(best, (end.tv_sec - start.tv_sec) * 1_000_000 + (end.tv_nsec - start.tv_nsec) / 1000)
      }
      print("\(name), \(dst.depth) bits, \(String(cString: k.pointee.name)): \(best) us")
    }
    measure("crossfade") { withPointers(dst, a, b) { rw_picture_crossfade(k, $0, $1, $2, 12345, 0, 1080) } }
    measure("mask blend") { withPointers(dst, a, b) { rw_picture_blend_mask(k, $0, $1, $2, mask, 1920, 0, 1080) } }
    for softness: Int32 in [600, 15000] {
      var front = rw_front(position: 15000, softness: softness, smooth: 1)
      measure("field blend, softness \(softness)") {
        withPointers(dst, a, b) { rw_picture_blend_field(k, $0, $1, $2, field, 1920, &front, 0, 1080) }
      }
    }
    var window = rw_window(x: 100.3, y: 50.7, width: 1777, height: 1000)
    measure("bicubic window") {
      withPointers(dst, a, b) { dst, a, _ in
        _ = rw_picture_resample(k, resampler, dst, 0, 0, 1920, 1080, a, &window, Int32(RW_FILTER_BICUBIC))
      }
    }
    for program in 0..<Int32(RW_WARP_COUNT) {
      var warp = rw_warp()
      (warp.program, warp.progress, warp.directionX, warp.centerX, warp.centerY) = (program, 0.4, -1, 960, 540)
      (warp.count, warp.strength, warp.amount) = (6, 1, 0.02)
      measure("warp \(program)") { withPointers(dst, a, b) { rw_picture_warp(isa, $0, $1, $2, &warp, 0, 1080) } }
    }
    for shape in 0..<Int32(RW_SHAPE_COUNT) {
      measure("field \(shape)") { _ = Self.field(shape, isa, (1920, 1080), (-1, 0), inverted: 0) }
    }
  }

  private static func withPointers(
    _ dst: rw_picture, _ a: rw_picture, _ b: rw_picture,
    _ body: (UnsafePointer<rw_picture>, UnsafePointer<rw_picture>, UnsafePointer<rw_picture>) -> Void
  ) {
    withUnsafePointer(to: dst) { dst in withUnsafePointer(to: a) { a in withUnsafePointer(to: b) { b in body(dst, a, b) } } }
  }
}
