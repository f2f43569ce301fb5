import FFmpegBridge
import MediaCore

/// How sharp a picture is: the variance of the Laplacian of its luma (Pech-Pacheco et al., ICPR 2000), on an area-averaged
/// picture of at most 640 pixels a side. Pictures that are nearly black come after all others.
enum Sharpness {
  static func score(_ frame: VideoFrame) throws(MediaError) -> Double {
    let picture = try LumaThumbnail(frame, maximum: FrameSize(640, 640))
    let (width, height) = (picture.size.width, picture.size.height)
    let mean = Double(picture.bytes.reduce(0) { $0 &+ Int($1) }) / Double(picture.size.pixels)
    // Limited-range black is 16.
    let penalty = mean < 24 ? -1e9 : 0
    guard width >= 3 && height >= 3 else { return penalty }
    var sum = 0
    var squares = 0
    picture.bytes.withUnsafeBufferPointer { luma in
      for y in 1..<(height - 1) {
        for x in 1..<(width - 1) {
          let i = y &* width &+ x
          let value = 4 &* Int(luma[i]) &- Int(luma[i &- 1]) &- Int(luma[i &+ 1]) &- Int(luma[i &- width]) &- Int(luma[i &+ width])
          sum = sum &+ value
          squares = squares &+ value &* value
        }
      }
    }
    let count = Double((width - 2) * (height - 2))
    return Double(squares) / count - (Double(sum) / count) * (Double(sum) / count) + penalty
  }
}
