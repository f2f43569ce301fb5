import CKernels
import Glibc
import Testing

@Suite struct ConvertKernelTests {
  static let variants = (1..<Int32(RW_CONVERT_ISA_COUNT)).filter { rw_convert_supported($0) != 0 }
  static let sizes = [(1, 1), (2, 2), (3, 5), (31, 3), (32, 2), (33, 4), (65, 7), (127, 2), (1023, 2), (1025, 3), (1090, 2), (2081, 1)]

  @Test("Every variant gives the bytes of scalar and writes nothing else", arguments: convertKernels)
  func variants(kernel: ConvertKernel) {
    for (index, (width, height)) in Self.sizes.enumerated() {
      let picture = kernel.picture(width, height, seed: UInt64(index + 1))
      let bytes = kernel.outputBytes(width, height)
      var expected = [UInt8](repeating: 0xA5, count: bytes + 64)
      kernel.run(Int32(RW_CONVERT_SCALAR), picture, &expected)
      #expect(expected[bytes...].allSatisfy { $0 == 0xA5 }, "scalar wrote past \(width)x\(height)")
      for isa in Self.variants {
        var output = [UInt8](repeating: 0xA5, count: bytes + 64)
        kernel.run(isa, picture, &output)
        #expect(output == expected, "variant \(isa) differs at \(width)x\(height)")
      }
    }
  }

  /// Real-number conversion with chroma interpolated at its siting, straight from the definition.
  static func reference(_ picture: TestPicture, _ x: Int, _ y: Int, offset: Double, gain: Double, chroma: [[Double]]) -> [Double] {
    func chromaAt(_ plane: Int) -> Double {
      let columns = (picture.width + picture.shiftX) >> picture.shiftX
      let rows = (picture.height + picture.shiftY) >> picture.shiftY
      let px = picture.shiftX == 0 ? Double(x) : picture.left ? Double(x) / 2 : (Double(x) - 0.5) / 2
      let py = picture.shiftY == 0 ? Double(y) : picture.top ? Double(y) / 2 : (Double(y) - 0.5) / 2
      func at(_ i: Int, _ j: Int) -> Double {
        Double(picture.sample(plane, min(max(i, 0), columns - 1), min(max(j, 0), rows - 1)))
      }
      let i = Int(floor(px))
      let j = Int(floor(py))
      let fx = px - Double(i)
      let fy = py - Double(j)
      return (at(i, j) * (1 - fx) + at(i + 1, j) * fx) * (1 - fy) + (at(i, j + 1) * (1 - fx) + at(i + 1, j + 1) * fx) * fy
    }
    let mid = Double(1 << (picture.bits - 1))
    let luma = gain * (Double(picture.sample(0, x, y)) - offset)
    let u = chromaAt(1) - mid
    let v = chromaAt(2) - mid
    return chroma.map { min(255, max(0, luma + $0[0] * u + $0[1] * v)) }
  }

  @Test(
    "RGB stays within one level of the real-number conversion", arguments: [8, 10, 12],
    [(1, 1, true, false), (1, 1, false, false), (1, 1, true, true), (1, 0, true, false), (0, 0, true, false)])
  func colourAccuracy(bits: Int, layout: (Int, Int, Bool, Bool)) {
    // Kr and Kb of BT.601, BT.709 and BT.2020 (H.273 table 4).
    for (kr, kb) in [(0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)] {
      for full in [false, true] {
        let step = Double(1 << (bits - 8))
        let peak = Double(1 << bits - 1)
        let offset = full ? 0 : 16 * step
        let gain = full ? 255 / peak : 255 / (219 * step)
        let c = full ? 255 / peak : 255 / (224 * step)
        let kg = 1 - kr - kb
        let chroma = [
          [0, 2 * (1 - kr) * c], [-2 * (1 - kb) * kb / kg * c, -2 * (1 - kr) * kr / kg * c], [2 * (1 - kb) * c, 0],
        ]
        let picture = TestPicture(67, 9, bits: bits, shiftX: layout.0, shiftY: layout.1, seed: 7)
        picture.left = layout.2
        picture.top = layout.3
        var matrix = testMatrix(bits: bits, offset: Int(offset), gain: gain, chroma: chroma)
        var output = [UInt8](repeating: 0, count: 67 * 9 * 3)
        picture.withImage { image in rw_yuv_to_rgb(rw_convert_best(), image, &matrix, 0, 9, &output, 67 * 3, 3) }
        var worst = 0.0
        var sum = 0.0
        for y in 0..<9 {
          for x in 0..<67 {
            let expected = Self.reference(picture, x, y, offset: offset, gain: gain, chroma: chroma)
            for i in 0..<3 {
              let error = abs(expected[i] - Double(output[(y * 67 + x) * 3 + i]))
              worst = max(worst, error)
              sum += error
            }
          }
        }
        #expect(worst <= 1, "Kr \(kr) full \(full): worst \(worst)")
        #expect(sum / Double(67 * 9 * 3) <= 0.3)
      }
    }
  }

  @Test("A constant picture keeps its value at every scale, and the mean of noise is kept")
  func areaScale() {
    for (width, height, ow, oh) in [(1920, 1080, 320, 180), (7, 5, 3, 2), (640, 3, 1, 1), (33, 33, 33, 33), (1000, 10, 999, 7)] {
      let flat = [UInt8](repeating: 173, count: width * height)
      var output = [UInt8](repeating: 0, count: ow * oh)
      #expect(rw_area_scale(rw_convert_best(), flat, width, Int32(width), Int32(height), 1, &output, ow, Int32(ow), Int32(oh)) == 0)
      #expect(output.allSatisfy { $0 == 173 })
    }
    let picture = TestPicture(600, 400, seed: 3)
    var output = [UInt8](repeating: 0, count: 100 * 50)
    #expect(rw_area_scale(rw_convert_best(), picture.planes[0], 600, 600, 400, 1, &output, 100, 100, 50) == 0)
    for (i, j) in [(0, 0), (99, 49), (37, 20)] {
      var sum = 0
      for y in 0..<8 { for x in 0..<6 { sum += picture.sample(0, i * 6 + x, j * 8 + y) } }
      #expect(abs(Double(sum) / 48 - Double(output[j * 100 + i])) <= 2)
    }
  }

  @Test("Turning and mirroring puts every pixel where the definition says", arguments: [1, 2, 3, 4], [false, true])
  func orient(bytes: Int, mirrored: Bool) {
    let (width, height) = (37, 41)
    var noise = Noise(9)
    let input = (0..<(width * height * bytes)).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
    for turns in 0..<4 {
      let (ow, oh) = turns % 2 == 1 ? (height, width) : (width, height)
      var output = [UInt8](repeating: 0, count: width * height * bytes)
      rw_orient(
        input, width * bytes, Int32(width), Int32(height), Int32(bytes), &output, ow * bytes, Int32(turns), mirrored ? 1 : 0)
      for y in 0..<height {
        for x in 0..<width {
          let mx = mirrored ? width - 1 - x : x
          let (ox, oy) = [(mx, y), (ow - 1 - y, mx), (ow - 1 - mx, oh - 1 - y), (y, oh - 1 - mx)][turns]
          let a = (y * width + x) * bytes
          let b = (oy * ow + ox) * bytes
          #expect(input[a..<(a + bytes)] == output[b..<(b + bytes)])
        }
      }
    }
  }

  @Test(
    "Benchmark: nanoseconds a megapixel of every variant at 1920x1080",
    .enabled(if: getenv("REELWRIGHT_BENCH") != nil, "set REELWRIGHT_BENCH=1 and build for release"), arguments: convertKernels)
  func benchmark(kernel: ConvertKernel) {
    let picture = kernel.picture(1920, 1080, seed: 1)
    var output = [UInt8](repeating: 0, count: kernel.outputBytes(1920, 1080))
    for isa in [Int32(RW_CONVERT_SCALAR)] + Self.variants {
      var best = UInt64.max
      for _ in 0..<7 {
        var start = timespec()
        var end = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start)
        kernel.run(isa, picture, &output)
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end)
        best = min(best, UInt64(end.tv_sec - start.tv_sec) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(end.tv_nsec - start.tv_nsec)))
      }
      print("\(kernel.name), variant \(isa): \(best / 1000) us a frame")
    }
  }
}
