public import MediaCore
public import Pipeline

/// A libavfilter graph as a stage.
public final class FilterStage: Stage {
  private var graph: FilterGraph
  private var ready: [VideoFrame] = []
  private var isEnded = false

  /// - Parameter description: in libavfilter's syntax. See `FilterGraph`.
  public init(_ description: String, environment: MediaEnvironment) throws(MediaError) {
    graph = try FilterGraph(description, environment: environment)
  }

  public func next(from upstream: any Source<VideoFrame>) throws(MediaError) -> VideoFrame? {
    while ready.isEmpty && !isEnded {
      let frame = try upstream.next()
      isEnded = frame == nil
      ready = try graph.filter(frame)
    }
    return ready.isEmpty ? nil : ready.removeFirst()
  }
}
