public import MediaCore

/// The exact arithmetic of a document: which output frame shows what.
///
/// Every edit point is summed exactly and then rounded to the canvas rate, so errors do not add up: the whole lasts
/// round((Σ clips − Σ transitions) × rate) frames, and no point is off by more than half a frame. Pictures and sound of
/// a clip both start at the rounded point, so they stay in step.
public struct Timeline: Sendable {
  /// A clip on the timeline. Neighbours overlap where a transition joins them.
  public struct Placed: Sendable {
    public var clip: Clip
    /// Output frames, half-open.
    public var frames: Range<Int>
    /// The source time that the first frame shows.
    public var sourceStart: MediaTime
    /// Where the trimmed source ends; the last frame is held when rounding asks for more. nil for stills.
    public var sourceEnd: MediaTime?
    /// The clip has sound that is not muted.
    public var isAudible: Bool
  }

  /// The overlap of two clips.
  public struct Join: Sendable {
    public var transition: TransitionItem
    /// Index of the outgoing clip; the incoming one follows it.
    public var outgoing: Int
    public var incoming: Int { outgoing + 1 }
    /// Output frames, half-open.
    public var frames: Range<Int>

    /// How far the transition is at an output frame of the window: (2i + 1) / 2n for the i-th of n frames, so that it runs
    /// evenly from one clip to the other and no frame of the window is wholly one of them. Easing is not yet applied.
    public func progress(at frame: Int) -> Rational {
      Rational(Int64(2 * (frame - frames.lowerBound) + 1), Int64(2 * frames.count))
    }
  }

  /// When an overlay is shown.
  public struct Layer: Sendable {
    public var overlay: Overlay
    public var index: Int
    public var frames: Range<Int>
    /// For media: the part of the source that is shown.
    public var source: TimeRange

    /// It is a video whose sound is asked for.
    public var isAudible: Bool { if case .media = overlay.content { overlay.volume != nil } else { false } }

    public init(overlay: Overlay, index: Int, frames: Range<Int>, source: TimeRange = TimeRange()) {
      self.overlay = overlay
      self.index = index
      self.frames = frames
      self.source = source
    }
  }

  public let frameRate: Rational
  public let frameCount: Int
  public let clips: [Placed]
  public let joins: [Join]
  /// In document order: later ones lie above earlier ones.
  public let layers: [Layer]
  /// What is odd but not wrong: an overlay that begins after the end.
  public let warnings: [String]

  public var duration: MediaTime { time(ofFrame: frameCount) }

  public func time(ofFrame frame: Int) -> MediaTime { MediaTime(Rational(Int64(frame)) / frameRate) }

  /// Lays a document out. `facts` answers for each media file of the sequence and of media overlays by its name; it is not asked about
  /// images. Throws `usage`, at the line of the clip or transition, when a trim reaches beyond its source, a clip is shorter than a
  /// frame, or transitions are longer than the clips that they join.
  public init(_ document: ReelDocument, facts: (MediaReference) throws(MediaError) -> SourceFacts) throws(MediaError) {
    var builder = TimelineBuilder(document: document)
    try builder.place(facts: facts)
    let total = builder.frameCount
    frameRate = document.canvas.frameRate
    frameCount = total
    clips = builder.clips
    joins = builder.joins
    (layers, warnings) = try TimelineBuilder.layers(of: document, frameCount: total, facts: facts)
  }
}

extension Timeline {
  /// A picture of a clip: which clip, and which source time it shows.
  public struct Picture: Hashable, Sendable {
    public var clip: Int
    /// Frames since the clip's first output frame.
    public var offset: Int
    /// Relative to the first frame of the source; `sourceStart` for stills.
    public var sourceTime: MediaTime
  }

  /// What an output frame is made of, before overlays.
  public enum Composite: Sendable {
    case single(Picture)
    /// `progress` in 0...1, before easing.
    case joined(Picture, Picture, join: Int, progress: Rational)
  }

  /// The output frame's pictures. O(log n) in the number of clips.
  public func composite(at frame: Int) -> Composite {
    let index = lastClip(startingAtOrBefore: frame)
    if index > 0, frame < clips[index - 1].frames.upperBound, let join = joinIndex(incoming: index) {
      return .joined(
        picture(index - 1, at: frame), picture(index, at: frame), join: join, progress: joins[join].progress(at: frame))
    }
    return .single(picture(index, at: frame))
  }

  /// The overlays to draw on a frame, lowest first.
  public func layers(at frame: Int) -> [Layer] { layers.filter { $0.frames.contains(frame) } }

  /// The source time of a clip's picture at an output frame. A source is sampled at the frame nearest to this time.
  public func picture(_ clip: Int, at frame: Int) -> Picture {
    let placed = clips[clip]
    let offset = frame - placed.frames.lowerBound
    guard case .media = placed.clip.content else { return Picture(clip: clip, offset: offset, sourceTime: placed.sourceStart) }
    let time = placed.sourceStart + MediaTime(Rational(Int64(offset)) / frameRate * placed.clip.speed)
    return Picture(clip: clip, offset: offset, sourceTime: time)
  }

  private func lastClip(startingAtOrBefore frame: Int) -> Int {
    var (low, high) = (0, clips.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if clips[middle].frames.lowerBound <= frame { low = middle } else { high = middle }
    }
    return low
  }

  private func joinIndex(incoming: Int) -> Int? {
    var (low, high) = (0, joins.count)
    while low < high {
      let middle = (low + high) / 2
      if joins[middle].incoming < incoming { low = middle + 1 } else { high = middle }
    }
    return low < joins.count && joins[low].incoming == incoming ? low : nil
  }

  /// The frames at which something begins or ends, without 0 and the end: clips, transitions and overlays, and whatever
  /// `further` frame ranges (captions) the caller adds. Between two of them the make-up of the picture is of one kind.
  public func editPoints(further: [Range<Int>] = []) -> [Int] {
    var points: Set<Int> = []
    for range in clips.map(\.frames) + joins.map(\.frames) + layers.map(\.frames) + further {
      points.insert(range.lowerBound)
      points.insert(range.upperBound)
    }
    return points.filter { $0 > 0 && $0 < frameCount }.sorted()
  }
}
