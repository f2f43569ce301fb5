public import FFmpegBridge
public import MediaCore

/// What pictures are turned into before they are encoded or composed.
public struct PictureFormat: Hashable, Sendable {
  /// Final width and height; nil keeps the upright, square-sample size of the source, made even where the format needs it.
  public var size: FrameSize?
  /// With `size`: cut the picture to the shape of `size` around its middle before scaling, instead of distorting it.
  public var crops = false
  /// Bounds that the picture is fitted into, keeping its aspect; ignored when `size` is set. A zero side is free.
  public var bounds: FrameSize?
  /// Default 8-bit 4:2:0.
  public var format = PixelFormat.yuv420p
  /// Deinterlace pictures that are marked as interlaced. Default on.
  public var deinterlaces = true
  /// Convert PQ and HLG to SDR BT.709. Default on.
  public var toneMaps = true
  /// Turn pictures upright. Default on.
  public var bakesOrientation = true
  /// Make samples square. Default on.
  public var squaresSamples = true
  /// Colour description of the result; nil keeps each source's matrix and primaries.
  public var color: ColorTags?
  /// Sample range of the result. Default limited.
  public var range = ColorTags.Range.limited
  /// Resampling filter of size changes.
  public var filter = Scaler.Filter.bicubic
  /// A libavfilter graph applied to the upright picture before its final size and format.
  public var userFilter: String?
  /// Threads for scaling. Default 1: scaling has a thread of its own already.
  public var threads = 1

  public init() {}
}
