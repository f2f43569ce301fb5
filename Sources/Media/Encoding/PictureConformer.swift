public import FFmpegBridge
public import MediaCore
public import Pipeline

/// Turns every picture into one format: upright, square samples, progressive, SDR, one size, one pixel layout.
///
/// A picture that fits already passes by reference. Plain size and layout changes take libswscale into pooled memory;
/// turning, deinterlacing, tone mapping and the user's filter go through libavfilter before that.
public final class PictureConformer: Stage {
  private let wanted: PictureFormat
  private let environment: MediaEnvironment
  private var graph: FilterGraph?
  private var graphKey: GraphKey?
  private var scaler: Scaler?
  private var ready: [VideoFrame] = []
  private var isEnded = false
  /// What the first picture became; all that follow become the same.
  public private(set) var size: FrameSize?
  public private(set) var color: ColorTags?

  private struct GraphKey: Equatable {
    var orientation: Orientation
    var interlaced: Bool
    var toneMap: ColorTags.Transfer?
    var color: ColorTags
  }

  public init(_ wanted: PictureFormat, environment: MediaEnvironment) {
    self.wanted = wanted
    self.environment = environment
  }

  /// Plane buffers allocated so far; constant in steady state.
  public var allocations: Int64 {
    switch scaler {
    case .some(let scaler): scaler.allocations
    case .none: 0
    }
  }

  public func next(from upstream: any Source<VideoFrame>) throws(MediaError) -> VideoFrame? {
    while ready.isEmpty {
      guard !isEnded else { return nil }
      let frame = try upstream.next()
      if let frame {
        try take(frame)
      } else {
        isEnded = true
        try drainGraph()
      }
    }
    return ready.removeFirst()
  }

  private func take(_ frame: VideoFrame) throws(MediaError) {
    let tags = frame.resolvedColor
    let key = GraphKey(
      orientation: wanted.bakesOrientation ? frame.orientation : .upright,
      // One interlaced picture is enough: the deinterlacer passes progressive ones through.
      interlaced: wanted.deinterlaces && (frame.isInterlaced || graphKey?.interlaced == true),
      toneMap: wanted.toneMaps && tags.isHDR ? tags.transfer : nil, color: tags)
    if key != graphKey {
      try drainGraph()
      let description = PictureConformer.description(key, frame: frame, userFilter: wanted.userFilter)
      if description.isEmpty { graph = nil } else { graph = try FilterGraph(description, environment: environment) }
      graphKey = key
    }
    if graph != nil {
      for filtered in try graph!.filter(frame) { ready.append(try finish(filtered)) }
    } else {
      ready.append(try finish(frame))
    }
  }

  private func drainGraph() throws(MediaError) {
    guard graph != nil else { return }
    for frame in try graph!.filter(nil) { ready.append(try finish(frame)) }
  }

  /// The libavfilter graph that these pictures need; empty for none.
  private static func description(_ key: GraphKey, frame: VideoFrame, userFilter: String?) -> String {
    var filters: [String] = []
    if key.interlaced { filters.append("bwdif=mode=send_frame:deint=interlaced") }
    if let transfer = key.toneMap { filters += ToneMapping.filters(transfer: transfer, tags: key.color) }
    switch (key.orientation.mirrored, key.orientation.quarterTurns) {
    case (false, 1): filters.append("transpose=clock")
    case (false, 2): filters.append("hflip,vflip")
    case (false, 3): filters.append("transpose=cclock")
    case (true, 0): filters.append("hflip")
    case (true, 1): filters.append("hflip,transpose=clock")
    case (true, 2): filters.append("vflip")
    case (true, 3): filters.append("hflip,transpose=cclock")
    default: break
    }
    if let userFilter { filters.append(userFilter) }
    return filters.joined(separator: ",")
  }

  private func finish(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    if size == nil {
      let target = PictureConformer.size(
        stored: frame.size, sampleAspectRatio: frame.sampleAspectRatio, isTurned: graphKey?.orientation.swapsSides ?? false, wanted: wanted)
      var tags = wanted.color ?? frame.resolvedColor
      tags.range = wanted.format.isRGB ? .full : wanted.range
      if !wanted.format.isRGB && tags.matrix == .rgb {
        tags.matrix = target.height >= 720 ? .bt709 : .smpte170m
        tags.primaries = .bt709
        tags.transfer = .bt709
        tags.chromaLocation = .left
      }
      size = target
      color = tags
    }
    guard let size, let color else { return frame }
    var frame = wanted.crops ? frame.cropped(toShapeOf: size, squareSamples: wanted.squaresSamples) : frame
    // Nearly square samples come to the size that the picture has already.
    if wanted.squaresSamples, frame.size == size, frame.sampleAspectRatio != Rational(1) {
      frame = frame.withSampleAspectRatio(Rational(1))
    }
    let tags = frame.resolvedColor
    let fits =
      frame.size == size && frame.format.withoutRange == wanted.format.withoutRange && tags.range == color.range
      && tags.matrix == color.matrix && (!wanted.squaresSamples || frame.sampleAspectRatio == Rational(1))
    if fits { return frame }
    if scaler == nil {
      // Without a change of size nothing hides libswscale's truncation, which is up to a level of chroma.
      scaler = try Scaler(
        size: size, format: wanted.format, color: color, filter: wanted.filter, accurate: frame.size == size, threads: wanted.threads)
    }
    return try scaler!.scale(frame)
  }

  /// Final size for pictures like `frame`, which stands upright already.
  public static func size(of frame: VideoFrame, wanted: PictureFormat) throws(MediaError) -> FrameSize {
    size(stored: frame.size, sampleAspectRatio: frame.sampleAspectRatio, wanted: wanted)
  }

  /// Final size of an upright picture of `stored` samples.
  ///
  /// - Parameter isTurned: whether the picture was turned by 90° to stand upright. Samples become square by a change of what
  ///   was the width, as players and `probe` do it; that is the height then.
  public static func size(
    stored: FrameSize, sampleAspectRatio: Rational, isTurned: Bool = false, wanted: PictureFormat
  ) -> FrameSize {
    if let size = wanted.size { return size }
    var width = Rational(Int64(stored.width))
    var height = Rational(Int64(stored.height))
    if wanted.squaresSamples {
      if isTurned { height = height / sampleAspectRatio } else { width = width * sampleAspectRatio }
    }
    if let bounds = wanted.bounds, stored.width > 0, stored.height > 0 {
      var factor: Rational?
      if bounds.width > 0 { factor = Rational(Int64(bounds.width)) / width }
      if bounds.height > 0 {
        let other = Rational(Int64(bounds.height)) / height
        factor = factor.map { min($0, other) } ?? other
      }
      if let factor {
        width = width * factor
        height = height * factor
      }
    }
    let stepX = Int64(1) << Int64(wanted.format.chromaShift.x)
    let stepY = Int64(1) << Int64(wanted.format.chromaShift.y)
    /// The nearest whole number of steps, within the box where there is one.
    func fit(_ value: Rational, _ step: Int64, within bound: Int) -> Int {
      let steps = (value / Rational(step)).rounded
      return Int(max(step, (bound > 0 ? min(steps, Int64(bound) / step) : steps) * step))
    }
    return FrameSize(fit(width, stepX, within: wanted.bounds?.width ?? 0), fit(height, stepY, within: wanted.bounds?.height ?? 0))
  }
}
