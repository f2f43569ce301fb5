import CKernels
import Testing

/// Reproducible noise for pictures (xorshift).
struct Noise {
  var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

/// A planar picture of noise; samples above 8 bits fill two bytes.
final class TestPicture {
  let width: Int
  let height: Int
  let bits: Int
  let shiftX: Int
  let shiftY: Int
  let strides: [Int]
  let planes: [[UInt8]]
  var left = true
  var top = false

  init(_ width: Int, _ height: Int, bits: Int = 8, shiftX: Int = 1, shiftY: Int = 1, seed: UInt64 = 1) {
    self.width = width
    self.height = height
    self.bits = bits
    self.shiftX = shiftX
    self.shiftY = shiftY
    var noise = Noise(seed)
    let bytes = bits > 8 ? 2 : 1
    var strides: [Int] = []
    var planes: [[UInt8]] = []
    for plane in 0..<3 {
      let columns = plane == 0 ? width : (width + shiftX) >> shiftX
      let rows = plane == 0 ? height : (height + shiftY) >> shiftY
      strides.append(columns * bytes)
      var data = [UInt8](repeating: 0, count: columns * rows * bytes)
      for i in 0..<(columns * rows) {
        let value = Int(truncatingIfNeeded: noise.next() >> 20) & (1 << bits - 1)
        if bytes == 1 {
          data[i] = UInt8(value)
        } else {
          data[2 * i] = UInt8(value & 255)
          data[2 * i + 1] = UInt8(value >> 8)
        }
      }
      planes.append(data)
    }
    self.strides = strides
    self.planes = planes
  }

  func sample(_ plane: Int, _ x: Int, _ y: Int) -> Int {
    bits > 8
      ? Int(planes[plane][y * strides[plane] + 2 * x]) | Int(planes[plane][y * strides[plane] + 2 * x + 1]) << 8
      : Int(planes[plane][y * strides[plane] + x])
  }

  func withImage<R>(_ body: (UnsafePointer<rw_yuv_image>) -> R) -> R {
    planes[0].withUnsafeBufferPointer { y in
      planes[1].withUnsafeBufferPointer { u in
        planes[2].withUnsafeBufferPointer { v in
          var image = rw_yuv_image()
          image.planes = (y.baseAddress, u.baseAddress, v.baseAddress)
          image.strides = (strides[0], strides[1], strides[2])
          image.width = Int32(width)
          image.height = Int32(height)
          image.bits = UInt8(bits)
          image.chroma_shift_x = UInt8(shiftX)
          image.chroma_shift_y = UInt8(shiftY)
          image.chroma_left = left ? 1 : 0
          image.chroma_top = top ? 1 : 0
          return withUnsafePointer(to: &image, body)
        }
      }
    }
  }
}

/// One kernel of kernels_convert.h: how to run it on a picture of a given size. The same row is a correctness test
/// (every variant against scalar, odd sizes, overwrite guard) and a benchmark.
struct ConvertKernel: Sendable, CustomTestStringConvertible {
  let name: String
  /// Runs the kernel with the given variant and returns its whole output buffer, guard bytes included.
  let run: @Sendable (_ isa: Int32, _ picture: TestPicture, _ output: inout [UInt8]) -> Void
  /// Bytes of output, without the guard.
  let outputBytes: @Sendable (_ width: Int, _ height: Int) -> Int
  var bits = 8
  var shiftX = 1
  var shiftY = 1
  var left = true
  var top = false

  var testDescription: String { name }

  func picture(_ width: Int, _ height: Int, seed: UInt64) -> TestPicture {
    let picture = TestPicture(width, height, bits: bits, shiftX: shiftX, shiftY: shiftY, seed: seed)
    picture.left = left
    picture.top = top
    return picture
  }
}

/// The integer coefficients of `rw_yuv_matrix` from real ones in 8-bit output steps per source step.
func testMatrix(bits: Int, offset: Int, gain: Double, chroma: [[Double]]) -> rw_yuv_matrix {
  var matrix = rw_yuv_matrix()
  let unit = Double(1 << bits)
  func fixed(_ value: Double, _ q: Double) -> Int16 { Int16((value * unit * q).rounded()) }
  matrix.luma_offset = Int32(offset)
  matrix.luma_gain = fixed(gain, 64)
  matrix.chroma = (
    (fixed(chroma[0][0], 32), fixed(chroma[0][1], 32)), (fixed(chroma[1][0], 32), fixed(chroma[1][1], 32)),
    (fixed(chroma[2][0], 32), fixed(chroma[2][1], 32))
  )
  return matrix
}

/// BT.709 limited range to RGB, for samples of `bits`.
func bt709ToRGB(bits: Int) -> rw_yuv_matrix {
  let step = Double(1 << (bits - 8))
  let g = 255.0 / 219 / step
  let c = 255.0 / 224 / step
  return testMatrix(
    bits: bits, offset: 16 << (bits - 8), gain: g,
    chroma: [[0, 1.5748 * c], [-0.1873 * c, -0.4681 * c], [1.8556 * c, 0]])
}

/// BT.709 limited range to BT.601 full range Y'CbCr.
func bt709ToJFIF(bits: Int) -> rw_yuv_matrix {
  let step = Double(1 << (bits - 8))
  return testMatrix(
    bits: bits, offset: 16 << (bits - 8), gain: 255.0 / 219 / step,
    chroma: [[0.1155 / step, 0.2179 / step], [1.126 / step, -0.126 / step], [-0.083 / step, 1.119 / step]])
}

let convertKernels: [ConvertKernel] = {
  var rows: [ConvertKernel] = []
  for (bits, x, y, left, top) in [
    (8, 1, 1, true, false), (8, 1, 0, true, false), (8, 0, 0, true, false), (10, 1, 1, true, true), (10, 1, 1, false, false),
    (10, 0, 0, true, false), (12, 1, 1, true, false), (8, 1, 1, false, false),
  ] {
    let layout = "\(bits) bit \(x + y == 2 ? "4:2:0" : x == 1 ? "4:2:2" : "4:4:4") \(left ? "left" : "centre")\(top ? " top" : "")"
    for channels in [3, 4] {
      rows.append(
        ConvertKernel(
          name: "\(layout) to \(channels == 3 ? "RGB" : "RGBA")",
          run: { isa, picture, output in
            var matrix = bt709ToRGB(bits: picture.bits)
            picture.withImage { image in
              output.withUnsafeMutableBufferPointer {
                rw_yuv_to_rgb(
                  isa, image, &matrix, 0, Int32(picture.height), $0.baseAddress, picture.width * channels, Int32(channels))
              }
            }
          }, outputBytes: { $0 * $1 * channels }, bits: bits, shiftX: x, shiftY: y, left: left, top: top))
    }
    rows.append(
      ConvertKernel(
        name: "\(layout) to JFIF",
        run: { isa, picture, output in
          var matrix = bt709ToJFIF(bits: picture.bits)
          let columns = (picture.width + x) >> x
          let chroma = columns * ((picture.height + y) >> y)
          let luma = picture.width * picture.height
          picture.withImage { image in
            output.withUnsafeMutableBufferPointer { buffer in
              let base = buffer.baseAddress
              var planes: [UnsafeMutablePointer<UInt8>?] = [base, base.map { $0 + luma }, base.map { $0 + luma + chroma }]
              rw_yuv_to_yuv8(isa, image, &matrix, &planes, [picture.width, columns, columns])
            }
          }
        }, outputBytes: { $0 * $1 + 2 * (($0 + x) >> x) * (($1 + y) >> y) }, bits: bits, shiftX: x, shiftY: y, left: left, top: top)
    )
  }
  for bits in [8, 10] {
    let bytes = bits > 8 ? 2 : 1
    rows.append(
      ConvertKernel(
        name: "area scale to a sixth, \(bits) bit",
        run: { isa, picture, output in
          let width = max(1, picture.width / 6)
          let height = max(1, picture.height / 6)
          picture.withImage { image in
            output.withUnsafeMutableBufferPointer {
              _ = rw_area_scale(
                isa, image.pointee.planes.0, picture.strides[0], Int32(picture.width), Int32(picture.height), Int32(bytes),
                $0.baseAddress, width * bytes, Int32(width), Int32(height))
            }
          }
        }, outputBytes: { max(1, $0 / 6) * max(1, $1 / 6) * bytes }, bits: bits))
  }
  rows.append(
    ConvertKernel(
      name: "sum of absolute differences",
      run: { isa, picture, output in
        let other = picture.planes[0].reversed().map { $0 }
        let sum = picture.withImage { image in
          rw_sad(isa, image.pointee.planes.0, picture.width, other, picture.width, Int32(picture.width), Int32(picture.height))
        }
        for i in 0..<8 { output[i] = UInt8(truncatingIfNeeded: sum >> (8 * UInt64(i))) }
      }, outputBytes: { _, _ in 8 }))
  return rows
}()
