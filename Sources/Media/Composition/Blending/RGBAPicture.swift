internal import CKernels
import Glibc
import MediaCore

/// A picture with straight alpha: 4 bytes a pixel, rows without padding.
struct RGBAPicture {
  var size: FrameSize
  var bytes: [UInt8]

  /// The same picture turned clockwise about its middle, in a box that holds all of it.
  func rotated(degrees: Double) -> RGBAPicture {
    let turn = degrees.truncatingRemainder(dividingBy: 360)
    if turn == 0 { return self }
    // Quarter turns are exact.
    let quarter = (turn / 90).rounded() * 90 == turn ? Int(turn / 90) & 3 : nil
    let (cosine, sine): (Double, Double) =
      if let quarter { ([1, 0, -1, 0][quarter], [0, 1, 0, -1][quarter]) } else { (cos(turn * .pi / 180), sin(turn * .pi / 180)) }
    let (width, height) = (Double(size.width), Double(size.height))
    let box = FrameSize(
      max(1, Int((abs(width * cosine) + abs(height * sine) - 1e-6).rounded(.up))),
      max(1, Int((abs(width * sine) + abs(height * cosine) - 1e-6).rounded(.up))))
    let turned = [UInt8](unsafeUninitializedCapacity: box.width * box.height * 4) { buffer, count in
      rw_rgba_rotate(
        buffer.baseAddress, Int32(box.width), Int32(box.height), bytes, Int32(size.width), Int32(size.height), cosine, sine)
      count = box.width * box.height * 4
    }
    return RGBAPicture(size: box, bytes: turned)
  }
}
