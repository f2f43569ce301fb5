import CFFmpeg
import CShims
public import MediaCore

/// Any chain of libavfilter's video filters, one input and one output. Not safe to share between threads.
///
/// Made anew by itself when frames change their size, format or tags in mid-stream; frames that filters still hold come
/// out first. Filters that open files are refused.
public struct FilterGraph: ~Copyable {
  /// The graph in libavfilter's syntax: `"hflip,eq=contrast=1.1"`.
  public let description: String
  private let environment: MediaEnvironment
  private var graph: UnsafeMutablePointer<AVFilterGraph>?
  private var source: UnsafeMutablePointer<AVFilterContext>?
  private var sink: UnsafeMutablePointer<AVFilterContext>?
  private var key: Key?
  private var ready: [VideoFrame] = []

  /// Times cross libavfilter in this unit: exact for every usual frame rate and clock.
  private static let unit = Rational(1, 705_600_000)

  private struct Key: Equatable {
    var size: FrameSize
    var format: PixelFormat
    var sampleAspectRatio: Rational
  }

  /// Filters that read or write files, or talk to the network or devices.
  static let forbidden: Set<String> = [
    "movie", "amovie", "lut3d", "lut1d", "haldclut", "sendcmd", "asendcmd", "zmq", "azmq", "ladspa", "lv2", "frei0r", "frei0r_src",
    "subtitles", "ass", "vidstabdetect", "vidstabtransform", "metadata", "ametadata", "psnr", "ssim", "deshake_opencl", "ocv", "ocr",
    "sofalizer", "arnndn", "signature", "drawtext",
  ]

  /// - Throws: `usage` when the description names no such filter, `refused` when it names one that opens files.
  public init(_ description: String, environment: MediaEnvironment) throws(MediaError) {
    self.description = description
    self.environment = environment
    for name in FilterGraph.filterNames(in: description) {
      if FilterGraph.forbidden.contains(name) {
        throw MediaError(
          .refused, "cannot use the filter \(name)", reason: "it opens files by itself", advice: "filters work on the frames only")
      }
      if avfilter_get_by_name(name) == nil {
        throw MediaError(
          .usage, "cannot use the filter \(name)", reason: "FFmpeg has no filter of that name", advice: "see ffmpeg -filters")
      }
    }
  }

  deinit {
    var graph = graph
    avfilter_graph_free(&graph)
  }

  /// The names of the filters in a description: what stands at the start of each link.
  static func filterNames(in description: String) -> [String] {
    var names: [String] = []
    var name = ""
    var isName = true
    var depth = 0
    var quoted = false
    var escaped = false
    func finish() {
      if !name.isEmpty { names.append(name) }
      name = ""
    }
    for character in description {
      if escaped {
        escaped = false
        continue
      }
      switch character {
      case "\\": escaped = true
      case "'": quoted.toggle()
      case _ where quoted: break
      case "[": depth += 1
      case "]": depth = max(0, depth - 1)
      case ",", ";":
        finish()
        isName = true
      case "=", "@":
        finish()
        isName = false
      case _ where depth > 0 || character.isWhitespace: break
      default: if isName { name.append(character) }
      }
    }
    finish()
    return names
  }

  /// Hands in a frame, or nil at the end, and gives back the frames that came out.
  public mutating func filter(_ frame: VideoFrame?) throws(MediaError) -> [VideoFrame] {
    guard let frame else {
      try drain()
      defer { ready = [] }
      return ready
    }
    let key = Key(size: frame.size, format: frame.format, sampleAspectRatio: frame.sampleAspectRatio)
    if key != self.key {
      try drain()
      try build(frame, key: key)
    }
    let copy = VideoFrame.reference(frame.raw)
    copy.pointee.pts = frame.time.ticks(in: FilterGraph.unit)
    copy.pointee.pkt_duration = frame.duration.ticks(in: FilterGraph.unit)
    var owned: UnsafeMutablePointer<AVFrame>? = copy
    let status = av_buffersrc_add_frame_flags(source, copy, 0)
    av_frame_free(&owned)
    guard status >= 0 else { throw failure(status) }
    try collect()
    defer { ready = [] }
    return ready
  }

  private mutating func drain() throws(MediaError) {
    guard graph != nil else { return }
    _ = av_buffersrc_add_frame_flags(source, nil, 0)
    try collect()
    avfilter_graph_free(&graph)
    key = nil
  }

  private mutating func collect() throws(MediaError) {
    let unit = Rational(av_buffersink_get_time_base(sink))
    let rate = Rational(av_buffersink_get_frame_rate(sink))
    while true {
      let frame = VideoFrame.allocate()
      let status = av_buffersink_get_frame(sink, frame)
      if status < 0 {
        var frame: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&frame)
        if status == rw_error_again || status == rw_error_end { return }
        throw failure(status)
      }
      var duration = MediaTime(ticks: max(0, frame.pointee.pkt_duration), timeBase: unit)
      if rate.isPositive { duration = MediaTime(rate.reciprocal) }
      let time = frame.pointee.pts == rw_no_timestamp ? MediaTime.zero : MediaTime(ticks: frame.pointee.pts, timeBase: unit)
      ready.append(VideoFrame(owning: FilterGraph.topDown(frame), time: time, duration: duration, orientation: .upright))
    }
  }

  /// Views need rows in ascending order; vflip hands out negative strides, which a copy turns round.
  private static func topDown(_ frame: UnsafeMutablePointer<AVFrame>) -> UnsafeMutablePointer<AVFrame> {
    guard VideoFrame.lineSize(frame, 0) < 0 else { return frame }
    let copy = VideoFrame.allocate()
    copy.pointee.format = frame.pointee.format
    copy.pointee.width = frame.pointee.width
    copy.pointee.height = frame.pointee.height
    guard av_frame_get_buffer(copy, 0) >= 0 else { fatalError("out of memory") }
    av_frame_copy(copy, frame)
    av_frame_copy_props(copy, frame)
    var old: UnsafeMutablePointer<AVFrame>? = frame
    av_frame_free(&old)
    return copy
  }

  private mutating func build(_ frame: VideoFrame, key: Key) throws(MediaError) {
    avfilter_graph_free(&graph)
    guard let graph = avfilter_graph_alloc() else { throw failure(rw_error_no_memory) }
    self.graph = graph
    graph.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    graph.pointee.nb_threads = Int32(environment.threads)
    let aspect = frame.sampleAspectRatio
    let arguments =
      "video_size=\(key.size):pix_fmt=\(key.format.raw.rawValue):time_base=\(FilterGraph.unit):pixel_aspect=\(aspect)"
      + (frame.duration.seconds.isPositive ? ":frame_rate=\(frame.duration.seconds.reciprocal)" : "")
    let status = environment.diagnostics.collecting { () -> Int32 in
      var status = avfilter_graph_create_filter(&source, avfilter_get_by_name("buffer"), "in", arguments, nil, graph)
      if status < 0 { return status }
      status = avfilter_graph_create_filter(&sink, avfilter_get_by_name("buffersink"), "out", nil, nil, graph)
      if status < 0 { return status }
      return FilterGraph.connect(source, sink, through: description, in: graph)
    }
    guard status >= 0 else {
      avfilter_graph_free(&self.graph)
      throw failure(status)
    }
    self.key = key
  }

  /// Puts the filters of `description` between the ends of `graph` and settles their formats; FFmpeg's status.
  static func connect(
    _ source: UnsafeMutablePointer<AVFilterContext>?, _ sink: UnsafeMutablePointer<AVFilterContext>?, through description: String,
    in graph: UnsafeMutablePointer<AVFilterGraph>
  ) -> Int32 {
    var inputs = avfilter_inout_alloc()
    var outputs = avfilter_inout_alloc()
    defer {
      avfilter_inout_free(&inputs)
      avfilter_inout_free(&outputs)
    }
    outputs!.pointee.name = av_strdup("in")
    outputs!.pointee.filter_ctx = source
    inputs!.pointee.name = av_strdup("out")
    inputs!.pointee.filter_ctx = sink
    let status = avfilter_graph_parse_ptr(graph, description, &inputs, &outputs, nil)
    return status < 0 ? status : avfilter_graph_config(graph, nil)
  }

  private func failure(_ status: Int32) -> MediaError {
    FFmpegError.make(
      status, "cannot apply the filter \(description)", fallback: .usage, advice: "check its options with ffmpeg -h filter=NAME",
      diagnostics: environment.diagnostics)
  }
}
