internal import CKernels

/// The whitened residual of one or more pictures and its spectrum.
final class MarkSpectrum {
  let width: Int
  let height: Int
  /// Smoothed power for look-ups, `rows` x `columns`, with the spare bytes that the score kernel reads.
  let power: UnsafeMutablePointer<UInt8>
  let columns: Int
  let rows: Int
  let origin: Int
  let padded: (width: Int, height: Int)
  private let meanPower: Float
  /// Half the side, in samples, of the boxes over which sums of pictures are made even, and the power of their
  /// root mean square by which they are divided. Noise that stands still grows with the number of pictures and noise that
  /// moves with its root, while the mark grows alike in both: 2 would be right if the mark were equally strong everywhere.
  private static let reach: Int32 = 16
  private static let equalisation: Float = 1.5
  private let whitened: Accumulator
  private var precise: FourierPlane?

  init(_ sum: Accumulator) {
    (width, height) = (sum.width, sum.height)
    let plane = FourierPlane(width: FourierPlane.goodLength(width), height: FourierPlane.goodLength(height))
    var sum = sum
    if sum.pictures > 1 {
      let even = Accumulator(width: width, height: height)
      even.add(sum)
      let spare = UnsafeMutablePointer<Float>.allocate(capacity: 2 * width * height)
      rw_detect_equalise(even.values, Int32(width), Int32(height), Self.reach, Self.equalisation, spare)
      spare.deallocate()
      sum = even
    }
    rw_detect_pad(
      sum.values, Int32(width), Int32(height), nil, nil, plane.values, Int32(plane.width), Int32(plane.height), Int32(plane.stride))
    plane.transform()
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: plane.stride * plane.height)
    rw_detect_whiten(plane.values, Int32(plane.width), Int32(plane.height), scratch)
    scratch.deallocate()
    plane.invert()
    whitened = Accumulator(width: width, height: height)
    rw_detect_crop(
      plane.values, Int32(plane.width), Int32(plane.height), Int32(plane.stride), whitened.values, Int32(width), Int32(height))

    padded = (FourierPlane.goodLength(2 * width), FourierPlane.goodLength(2 * height))
    let wide = FourierPlane(width: padded.width, height: padded.height)
    rw_detect_pad(
      whitened.values, Int32(width), Int32(height), nil, nil, wide.values, Int32(wide.width), Int32(wide.height), Int32(wide.stride))
    wide.transform()
    origin = Int(Float(RW_DETECT_HIGH) * Float(padded.height)) + 2
    columns = Int(Float(RW_DETECT_HIGH) * Float(padded.width)) + 3
    rows = 2 * origin + 1
    power = .allocate(capacity: rows * columns + 4)
    power.initialize(repeating: 0, count: rows * columns + 4)
    let spare = UnsafeMutablePointer<Float>.allocate(capacity: rows * columns)
    meanPower = rw_detect_power(wide.values, Int32(wide.width), Int32(wide.height), spare, power)
    spare.deallocate()
  }

  deinit { power.deallocate() }

  var map: rw_detect_map {
    rw_detect_map(
      power: power, columns: Int32(columns), rows: Int32(rows), origin: Int32(origin), column_step: 1 / Float(padded.width),
      row_step: 1 / Float(padded.height))
  }

  /// Values of the spectrum about the picture's centre at frequencies in cycles a pixel, noise having mean power 1.
  func values(x: [Float], y: [Float]) -> [Float] {
    let plane = precise ?? makePrecise()
    var result = [Float](repeating: 0, count: 2 * x.count)
    rw_detect_interpolate(plane.values, Int32(plane.width), Int32(plane.height), x, y, Int32(x.count), &result)
    let scale = meanPower > 0 ? 1 / meanPower.squareRoot() : 0
    for index in result.indices { result[index] *= scale }
    return result
  }

  /// The same apart for each tile of a grid that covers the picture, row by row: `columns * rows * x.count` complex values
  /// whose sums over the tiles are those of the whole.
  func tileValues(x: [Float], y: [Float], columns: Int, rows: Int) -> [Float] {
    var result = [Float](repeating: 0, count: 2 * x.count * columns * rows)
    rw_detect_tile_lines(whitened.values, Int32(width), Int32(height), Int32(columns), Int32(rows), x, y, Int32(x.count), &result)
    let scale = meanPower > 0 ? 1 / meanPower.squareRoot() : 0
    for index in result.indices { result[index] *= scale }
    return result
  }

  /// The spectrum of a part of the picture.
  func part(x: Range<Int>, y: Range<Int>) -> MarkSpectrum {
    let sum = Accumulator(width: x.count, height: y.count)
    for row in 0..<y.count {
      (sum.values + row * x.count).update(from: whitened.values + (y.lowerBound + row) * width + x.lowerBound, count: x.count)
    }
    return MarkSpectrum(sum)
  }

  private func makePrecise() -> FourierPlane {
    let plane = FourierPlane(width: padded.width, height: padded.height)
    var across = [Float](repeating: 0, count: width)
    var down = [Float](repeating: 0, count: height)
    rw_detect_kernel_transform(Int32(width), Int32(padded.width), &across)
    rw_detect_kernel_transform(Int32(height), Int32(padded.height), &down)
    across = across.map { 1 / $0 }
    down = down.map { 1 / $0 }
    rw_detect_pad(
      whitened.values, Int32(width), Int32(height), across, down, plane.values, Int32(plane.width), Int32(plane.height),
      Int32(plane.stride))
    plane.transform()
    precise = plane
    return plane
  }
}
