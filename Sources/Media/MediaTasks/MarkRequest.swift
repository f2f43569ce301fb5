import FileAccess
import MediaCore
public import Watermark

/// A mark that a task is asked to put on its output.
public struct MarkRequest: Codable, Hashable, Sendable {
  public var id: WatermarkID
  /// Logical name of the key file; the key itself is never part of a task. Default `"watermark key"`.
  public var key = MarkRequest.defaultKeyName
  /// Least mean luma PSNR in dB; nil the default of `MarkStrength`, and `pictureMeanPSNR` for a picture that stays one.
  public var meanPSNR: Double?
  /// One picture has to hold what a video spreads over many.
  public static let pictureMeanPSNR = 42.0

  /// For encodes in segments that copies are assembled from: also marks each segment's place, for the first or the second
  /// encode. Nil marks the id alone.
  public var isSecondVariant: Bool?

  /// Seconds of video from which a mark is found after what platforms do; shorter ones are marked with a warning.
  static let advisedSeconds = 3.0

  /// What the report says of a video that is too short for its mark to be relied on; nil for pictures and longer ones.
  static func warning(pictures: Int, seconds: Double) -> String? {
    guard pictures > 1, seconds < advisedSeconds else { return nil }
    return
      "the mark is in \((seconds * 100).rounded() / 100) s of video: \(advisedSeconds) s or more are needed to find it after strong compression"
  }

  public static let defaultKeyName = "watermark key"

  public init(id: WatermarkID, meanPSNR: Double? = nil) {
    self.id = id
    self.meanPSNR = meanPSNR
  }

  var strength: MarkStrength {
    var strength = MarkStrength()
    if let meanPSNR {
      strength.meanPSNR = meanPSNR
      strength.leastPSNR = min(strength.leastPSNR, meanPSNR)
    }
    return strength
  }

  /// - Parameter picturesPerSegment: needed where `isSecondVariant` is set.
  func makeStage(_ files: any Files, picturesPerSegment: Double? = nil) throws(MediaError) -> (stage: MarkStage, key: WatermarkKey) {
    let key = try WatermarkKey(files.openInput(key))
    let segments = isSecondVariant.flatMap { second in
      picturesPerSegment.map { SegmentMark(picturesPerSegment: $0, isSecond: second) }
    }
    return (MarkStage(key: key, id: id, strength: strength, segments: segments), key)
  }
}
