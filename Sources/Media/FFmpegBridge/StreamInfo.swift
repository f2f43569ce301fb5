import CFFmpeg
import CShims
public import MediaCore

/// What a stream of a file is.
public struct StreamInfo: Sendable {
  public enum Kind: String, Sendable { case video, audio, subtitle, data, attachment, attachedPicture }

  public let index: Int
  public let kind: Kind
  /// FFmpeg's codec name: `"h264"`; `"none"` when unknown.
  public internal(set) var codec: String
  public let profile: String?
  /// The unit of the stream's timestamps in seconds.
  public let timeBase: Rational
  /// Presentation time of the first sample on the file's own clock; nil when unknown.
  public let startTime: MediaTime?
  public let duration: MediaTime?
  /// Frames that the container claims; 0 when it does not say.
  public let declaredFrameCount: Int64
  public let bitRate: Int64
  public let language: String?
  public let title: String?
  public let isDefault: Bool
  public let isForced: Bool

  // Video
  public let size: FrameSize
  public let sampleAspectRatio: Rational
  /// Average frame rate; 0/1 when unknown.
  public let averageFrameRate: Rational
  /// The lowest rate at which all timestamps can be told apart, by FFmpeg's guess; 0/1 when unknown.
  public let nominalFrameRate: Rational
  public let pixelFormat: PixelFormat?
  public let color: ColorTags
  public let orientation: Orientation
  public let fieldOrder: FieldOrder
  /// Frames that a decoder holds back at most.
  public let reorderDepth: Int

  // Audio
  public let sampleRate: Int
  public let channels: Int
  public let channelLayout: String?
  public let sampleFormat: String?

  /// What a decoder or a muxer needs to know.
  let parameters: CodecParameters
  /// What the container says of the stream: display matrix, HDR metadata … by FFmpeg's packet side data types.
  let sideData: [(type: UInt32, bytes: [UInt8])]
  /// Whether the container itself states the sample aspect ratio.
  let statesAspect: Bool
  /// FFmpeg's disposition flags.
  let disposition: Int32
  let metadata: [String: String]

  public enum FieldOrder: String, Sendable { case progressive, topFirst, bottomFirst, unknown }
}

/// A reference to FFmpeg's codec parameters; never changed after it was made.
final class CodecParameters: @unchecked Sendable {
  let raw: UnsafeMutablePointer<AVCodecParameters>

  init(copying source: UnsafePointer<AVCodecParameters>) {
    guard let raw = avcodec_parameters_alloc(), avcodec_parameters_copy(raw, source) >= 0 else { fatalError("out of memory") }
    self.raw = raw
  }

  init(of context: UnsafePointer<AVCodecContext>) {
    guard let raw = avcodec_parameters_alloc(), avcodec_parameters_from_context(raw, context) >= 0 else { fatalError("out of memory") }
    self.raw = raw
  }

  deinit {
    var raw: UnsafeMutablePointer<AVCodecParameters>? = raw
    avcodec_parameters_free(&raw)
  }
}
