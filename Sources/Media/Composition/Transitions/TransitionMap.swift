public import FFmpegBridge
public import MediaCore

/// A grey picture whose brightness says when each place changes: 0 first, 255 last.
public struct TransitionMap: Hashable, Sendable {
  public let size: FrameSize
  let samples: [UInt8]

  /// `samples`: rows of `size.width` bytes.
  public init(size: FrameSize, samples: [UInt8]) {
    precondition(size.width > 0 && size.height > 0 && samples.count == size.width * size.height, "samples do not fill the size")
    self.size = size
    self.samples = samples
  }

  /// The map in the first plane (luma or grey) of an 8-bit planar frame, stretched so that its darkest sample comes first
  /// and its brightest last.
  public init(_ frame: VideoFrame) {
    size = frame.size
    samples = frame.withPlane(0) { plane in
      var samples: [UInt8] = []
      samples.reserveCapacity(plane.rowBytes * plane.rowCount)
      for y in 0..<plane.rowCount {
        let row = plane.row(y)
        for x in 0..<row.count { samples.append(row[x]) }
      }
      let low = Int(samples.min() ?? 0)
      let span = max(1, Int(samples.max() ?? 255) - low)
      return samples.map { UInt8((Int($0) - low) * 255 / span) }
    }
  }
}
