import FFmpegBridge
import FrameExtraction
import MediaCore

/// Makes of one frame what the outputs of a `FramesTask` need; runs on the decoding threads.
struct FramesRenderer: Sendable {
  struct Rendered: Sendable {
    var image: [UInt8]?
    var tile: Bitmap?
    var sprite: Bitmap?
    var still: Bitmap?
  }

  private let images: PictureConverter?
  private let writer: ImageWriter?
  private let tiles: PictureConverter?
  private let sprites: PictureConverter?
  private let stills: PictureConverter?

  init(_ task: FramesTask, environment: MediaEnvironment) {
    func converter(_ side: Int) -> PictureConverter {
      let isFree = task.bounds.width == 0 && task.bounds.height == 0
      return PictureConverter(.rgb, bounds: isFree ? FrameSize(side, side) : task.bounds, environment: environment)
    }
    images = task.images.map { PictureConverter($0.format.target, bounds: task.bounds, environment: environment) }
    writer = task.images.map { ImageWriter($0.format, quality: $0.quality) }
    tiles = task.sheet.map { _ in converter(320) }
    sprites = task.sprites.map { _ in converter(160) }
    stills = task.preview.map { _ in converter(480) }
  }

  /// The size of a sheet's tiles, as far as the stream tells; nil without a sheet or a known size.
  func tileSize(of stream: StreamInfo) -> FrameSize? {
    guard let tiles, stream.size.pixels > 0 else { return nil }
    return PictureConverter.fittedSize(
      stream.size, sampleAspectRatio: stream.sampleAspectRatio, orientation: stream.orientation, bounds: tiles.bounds)
  }

  func render(_ extracted: ExtractedFrame) throws(MediaError) -> Rendered {
    var result = Rendered()
    if let images, let writer { result.image = try writer.encode(try images.convert(extracted.frame)) }
    if let tiles { result.tile = try tiles.convert(extracted.frame) }
    if let sprites { result.sprite = try sprites.convert(extracted.frame) }
    if let stills { result.still = try stills.convert(extracted.frame) }
    return result
  }
}
