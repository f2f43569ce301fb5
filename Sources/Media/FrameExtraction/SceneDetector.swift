import CKernels
import FFmpegBridge
import MediaCore

/// How much a frame differs from the one before, on the scale of FFmpeg's `scene` value: the smaller of the mean absolute
/// difference of luma and of that difference's change, in hundredths of the 8-bit range, at most 1.
struct SceneDetector {
  private var previous: LumaThumbnail?
  private var previousDifference = 0.0

  mutating func score(_ frame: VideoFrame) throws(MediaError) -> Double {
    let picture = try LumaThumbnail(frame, maximum: FrameSize(320, 320))
    defer { previous = picture }
    guard let previous, previous.size == picture.size else { return 0 }
    let size = picture.size
    let sum = rw_sad(
      rw_convert_best(), picture.bytes, size.width, previous.bytes, size.width, Int32(size.width), Int32(size.height))
    let difference = Double(sum) / Double(size.pixels)
    defer { previousDifference = difference }
    return min(1, min(difference, abs(difference - previousDifference)) / 100)
  }
}
