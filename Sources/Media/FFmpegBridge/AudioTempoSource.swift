import CFFmpeg
import CShims
public import MediaCore
public import Pipeline

/// Sound that plays faster or slower at the same pitch (libavfilter's `atempo`, which overlaps and adds similar stretches).
///
/// Times scale with it: what lies at t comes out at t / speed. Use on one thread at a time.
public final class AudioTempoSource: Source {
  private let upstream: any Source<AudioBlock>
  private let speed: Double
  private let environment: MediaEnvironment
  private var graph: UnsafeMutablePointer<AVFilterGraph>?
  private var source: UnsafeMutablePointer<AVFilterContext>?
  private var sink: UnsafeMutablePointer<AVFilterContext>?
  private var sampleRate = 0
  private var channels = 0
  private var pushed: Int64 = 0
  private var position: Int64 = 0
  private var ready: [AudioBlock] = []
  private var isEnded = false

  /// - Parameters:
  ///   - upstream: blocks without gaps, all of one rate and channel count.
  ///   - speed: above 1 is faster; 0.05...20.
  public init(_ upstream: any Source<AudioBlock>, speed: Rational, environment: MediaEnvironment) {
    self.upstream = upstream
    self.speed = min(max(speed.doubleValue, 0.05), 20)
    self.environment = environment
  }

  deinit {
    var graph = graph
    avfilter_graph_free(&graph)
  }

  public func next() throws(MediaError) -> AudioBlock? {
    while ready.isEmpty && !isEnded {
      guard let block = try upstream.next() else {
        isEnded = true
        if graph != nil {
          _ = av_buffersrc_add_frame_flags(source, nil, 0)
          try collect()
        }
        break
      }
      if graph == nil { try build(block) }
      try push(block)
      try collect()
    }
    return ready.isEmpty ? nil : ready.removeFirst()
  }

  /// `atempo` takes factors of 0.5 and more, and leaves samples out above 2: several after each other do the rest.
  private var filters: String {
    var rest = speed
    var chain: [Double] = []
    while rest > 2 {
      chain.append(2)
      rest /= 2
    }
    while rest < 0.5 {
      chain.append(0.5)
      rest /= 0.5
    }
    chain.append(rest)
    return chain.map { "atempo=\($0)" }.joined(separator: ",") + ",aformat=sample_fmts=fltp"
  }

  private func build(_ block: AudioBlock) throws(MediaError) {
    sampleRate = block.sampleRate
    channels = block.channels.count
    position = Int64((Double(block.start) / speed).rounded())
    graph = avfilter_graph_alloc()
    guard let graph else { throw failure(rw_error_no_memory) }
    graph.pointee.nb_threads = 1
    graph.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    let arguments = "sample_rate=\(sampleRate):sample_fmt=fltp:time_base=1/\(sampleRate):channel_layout=\(channels)c"
    let description = filters
    let status = environment.diagnostics.collecting { () -> Int32 in
      var status = avfilter_graph_create_filter(&source, avfilter_get_by_name("abuffer"), "in", arguments, nil, graph)
      if status < 0 { return status }
      status = avfilter_graph_create_filter(&sink, avfilter_get_by_name("abuffersink"), "out", nil, nil, graph)
      if status < 0 { return status }
      return FilterGraph.connect(source, sink, through: description, in: graph)
    }
    guard status >= 0 else { throw failure(status) }
  }

  private func push(_ block: AudioBlock) throws(MediaError) {
    guard block.sampleCount > 0 else { return }
    let frame = VideoFrame.allocate()
    var owned: UnsafeMutablePointer<AVFrame>? = frame
    defer { av_frame_free(&owned) }
    frame.pointee.nb_samples = Int32(block.sampleCount)
    frame.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
    frame.pointee.sample_rate = Int32(sampleRate)
    frame.pointee.ch_layout.order = AV_CHANNEL_ORDER_UNSPEC
    frame.pointee.ch_layout.nb_channels = Int32(channels)
    frame.pointee.pts = pushed
    guard av_frame_get_buffer(frame, 0) >= 0 else { throw failure(rw_error_no_memory) }
    for (index, samples) in block.channels.enumerated() {
      let target = UnsafeMutableRawPointer(frame.pointee.extended_data[index]!).assumingMemoryBound(to: Float.self)
      samples.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: $0.count) }
    }
    pushed += Int64(block.sampleCount)
    let status = av_buffersrc_add_frame_flags(source, frame, 0)
    guard status >= 0 else { throw failure(status) }
  }

  private func collect() throws(MediaError) {
    while true {
      let frame = VideoFrame.allocate()
      var owned: UnsafeMutablePointer<AVFrame>? = frame
      defer { av_frame_free(&owned) }
      let status = av_buffersink_get_frame(sink, frame)
      if status == rw_error_again || status == rw_error_end { return }
      guard status >= 0 else { throw failure(status) }
      let count = Int(frame.pointee.nb_samples)
      let arrays = (0..<channels).map { channel in
        Array(
          UnsafeBufferPointer(
            start: UnsafeMutableRawPointer(frame.pointee.extended_data[channel]!).assumingMemoryBound(to: Float.self), count: count))
      }
      ready.append(AudioBlock(channels: arrays, sampleRate: sampleRate, start: position))
      position += Int64(count)
    }
  }

  private func failure(_ status: Int32) -> MediaError {
    FFmpegError.make(status, "cannot change the speed of sound", fallback: .bug, diagnostics: environment.diagnostics)
  }
}
