import CFFmpeg
import CShims
public import FileAccess
public import MediaCore

/// Reads the packets of one media file over a descriptor.
///
/// Opens nothing else: playlists, references to other files and network addresses are refused, and only the container
/// formats in `Demuxer.formats` are accepted. Not safe to share between threads. Every stream starts selected.
public struct Demuxer: ~Copyable {
  /// FFmpeg's name of the container format: `"mov,mp4,m4a,3gp,3g2,mj2"`.
  public let format: String
  public let streams: [StreamInfo]
  /// The earliest presentation time in the file on its own clock; what becomes 0 on the presentation timeline.
  public let startTime: MediaTime
  /// Nil when the container does not say.
  public let duration: MediaTime?
  public let bitRate: Int64
  public let metadata: [String: String]
  public let chapters: [Chapter]
  public let input: InputFile

  let environment: MediaEnvironment
  let context: UnsafeMutablePointer<AVFormatContext>
  /// Whether the packets come from a stand-in in memory. See `ForeignPictures`.
  let isForeign: Bool
  let bytes: OpaquePointer
  // The interrupt callback holds this unretained.
  private let cancellation: Cancellation
  /// Where the packets of each stream end so far, in its ticks.
  var ends: [Int64?]

  /// A named part of the file.
  public struct Chapter: Hashable, Sendable, Codable {
    public var start: MediaTime
    public var end: MediaTime
    public var title: String?

    public init(start: MediaTime, end: MediaTime, title: String?) {
      self.start = start
      self.end = end
      self.title = title
    }
  }

  /// Opens `input` and looks into it far enough to know every stream.
  ///
  /// - Throws: `damaged` when it is empty or no media of a known format, `refused` above a limit, `incomplete` when reading fails.
  public init(_ input: InputFile, environment: MediaEnvironment) throws(MediaError) {
    let operation = "cannot read \(input.displayName)"
    func fail(_ code: MediaError.Code, _ reason: String, _ advice: String? = nil) -> MediaError {
      MediaError(code, operation, path: input.displayName, reason: reason, advice: advice, details: environment.diagnostics.lines)
    }
    try environment.cancellation.check(operation)
    guard input.snapshot.byteCount > 0 else { throw fail(.damaged, "the file is empty") }
    if input.snapshot.byteCount > environment.limits.inputBytes {
      throw environment.limits.refusal(
        operation, path: input.displayName, name: "input-bytes", found: input.snapshot.byteCount, of: "bytes")
    }
    if let claimed = SampleTableScan(input)?.sampleCount, claimed > environment.limits.samples {
      throw environment.limits.refusal(operation, path: input.displayName, name: "samples", found: claimed, of: "samples in its tables")
    }
    let foreign = try ForeignPictures.read(input, environment: environment)
    guard
      let bytes = foreign.map({ rw_input_create_memory($0.bytes, Int64($0.byteCount)) })
        ?? rw_input_create(input.descriptor.rawValue, input.snapshot.byteCount), let allocated = avformat_alloc_context()
    else { throw fail(.refused, "out of memory") }
    var context: UnsafeMutablePointer<AVFormatContext>? = allocated
    var isOpen = false
    func release() {
      if isOpen { avformat_close_input(&context) } else { avformat_free_context(context) }
      rw_input_free(bytes)
    }

    allocated.pointee.pb = rw_input_context(bytes)
    allocated.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    allocated.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    allocated.pointee.interrupt_callback.opaque = Unmanaged.passUnretained(environment.cancellation).toOpaque()
    allocated.pointee.interrupt_callback.callback = { opaque in
      Unmanaged<Cancellation>.fromOpaque(opaque!).takeUnretainedValue().isCancelled ? 1 : 0
    }
    rw_format_forbid_opening(allocated)

    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    av_dict_set(&options, "format_whitelist", Demuxer.formats.joined(separator: ","), 0)
    av_dict_set(&options, "max_streams", String(environment.limits.streams), 0)
    av_dict_set(&options, "probesize", String(min(5_000_000, environment.limits.probeBytes)), 0)
    var status = environment.diagnostics.collecting { avformat_open_input(&context, nil, nil, &options) }
    guard status >= 0 else {
      // avformat_open_input has freed the context.
      defer { rw_input_free(bytes) }
      if environment.cancellation.isCancelled { throw fail(.cancelled, "cancelled") }
      if rw_input_errno(bytes) != 0 {
        throw fail(
          .incomplete, "input is incomplete: reading failed: \(String(cString: strerror(rw_input_errno(bytes))))", "check the disk")
      }
      if let refusal = environment.refusal(operation, path: input.displayName) { throw refusal }
      throw fail(
        .damaged, status == rw_error_invalid ? Demuxer.explain(environment.diagnostics) : FFmpegError.text(status),
        "check that the file is complete and is video, audio or an image")
    }
    isOpen = true
    let opened = context!
    rw_format_forbid_opening(opened)

    if Int64(opened.pointee.nb_streams) > environment.limits.streams {
      let error = environment.limits.refusal(
        operation, path: input.displayName, name: "streams", found: Int64(opened.pointee.nb_streams), of: "streams")
      release()
      throw error
    }
    status = environment.diagnostics.collecting { Demuxer.findStreams(opened, limits: environment.limits) }
    if environment.cancellation.isCancelled {
      release()
      throw fail(.cancelled, "cancelled")
    }
    if status < 0 || opened.pointee.nb_streams == 0 {
      let error = rw_input_errno(bytes)
      release()
      if error != 0 {
        throw fail(.incomplete, "input is incomplete: reading failed: \(String(cString: strerror(error)))", "check the disk")
      }
      if let refusal = environment.refusal(operation, path: input.displayName) { throw refusal }
      throw fail(.damaged, status < 0 ? FFmpegError.text(status) : "it holds no stream", "check that the file is complete")
    }

    var streams = (0..<Int(opened.pointee.nb_streams)).map { StreamInfo(opened.pointee.streams[$0]!, of: opened) }
    if let foreign { for index in streams.indices { streams[index].codec = foreign.codec } }
    let microseconds = Rational(1, 1_000_000)
    let duration =
      opened.pointee.duration == rw_no_timestamp || opened.pointee.duration <= 0
      ? nil : MediaTime(ticks: opened.pointee.duration, timeBase: microseconds)
    // Above the limit of pixels libavformat does not learn the size of a picture.
    let isUnknown = streams.contains { $0.kind == .video && $0.size.pixels == 0 }
    let complaint = isUnknown ? environment.refusal(operation, path: input.displayName) : nil
    if let refusal = Demuxer.refusal(operation, input, streams, environment.limits, opened) ?? complaint {
      release()
      throw refusal
    }

    self.input = input
    self.environment = environment
    self.bytes = bytes
    self.context = opened
    cancellation = environment.cancellation
    self.streams = streams
    ends = Array(repeating: nil, count: streams.count)
    self.duration = duration
    format = foreign?.format ?? String(cString: opened.pointee.iformat.pointee.name)
    isForeign = foreign != nil
    // FFmpeg rounds to microseconds; the stream that begins first has the exact time, without which a frame's own time
    // could fall just before it.
    let rounded = opened.pointee.start_time
    startTime =
      rounded == rw_no_timestamp
      ? .zero
      : streams.compactMap(\.startTime).first { abs($0.ticks(in: microseconds) - rounded) <= 1 }
        ?? MediaTime(ticks: rounded, timeBase: microseconds)
    bitRate = opened.pointee.bit_rate
    metadata = Demuxer.dictionary(opened.pointee.metadata)
    chapters = (0..<Int(opened.pointee.nb_chapters)).map { index in
      let chapter = opened.pointee.chapters[index]!.pointee
      let unit = Rational(chapter.time_base)
      return Chapter(
        start: MediaTime(ticks: chapter.start, timeBase: unit), end: MediaTime(ticks: chapter.end, timeBase: unit),
        title: Demuxer.dictionary(chapter.metadata)["title"])
    }
    if let reason = FileEnd.missing(in: input, format: format) { environment.damage.noteIncomplete(reason) }
  }

  deinit {
    environment.use?.addBytes(bytesRead)
    var context: UnsafeMutablePointer<AVFormatContext>? = context
    environment.diagnostics.collecting { avformat_close_input(&context) }
    rw_input_free(bytes)
  }

  /// Bytes read from the file so far.
  public var bytesRead: Int64 { isForeign ? input.snapshot.byteCount : rw_input_bytes_read(bytes) }

  /// Leaves out every packet of other streams.
  public mutating func select(_ indices: Set<Int>) {
    for index in streams.indices {
      context.pointee.streams[index]!.pointee.discard = indices.contains(index) ? AVDISCARD_DEFAULT : AVDISCARD_ALL
    }
  }

  /// Fills `packet` with the next packet in file order; false at the end of the file.
  ///
  /// A packet that the container itself marks as damaged is booked and handed on; bytes that cannot be understood are
  /// booked and skipped where the format allows it.
  public mutating func read(into packet: Packet) throws(MediaError) -> Bool {
    let operation = "cannot read \(input.displayName)"
    try environment.cancellation.check(operation)
    packet.reset()
    var attempts = 0
    while true {
      let status = environment.diagnostics.collecting { av_read_frame(context, packet.raw) }
      if status >= 0 {
        let index = Int(packet.raw.pointee.stream_index)
        // Streams that turn up in mid-file (MPEG-TS) are none of those that were asked for.
        guard index < streams.count else { continue }
        packet.timeBase = streams[index].timeBase
        if let time = packet.presentationTicks { ends[index] = max(ends[index] ?? Int64.min, time + max(0, packet.durationTicks)) }
        if packet.isCorrupt { environment.damage.note("corrupt packet", stream: index, time: time(of: packet)) }
        return true
      }
      if environment.cancellation.isCancelled { throw MediaError(.cancelled, operation, reason: "cancelled") }
      if rw_input_errno(bytes) != 0 {
        let reason = "reading failed: \(String(cString: strerror(rw_input_errno(bytes))))"
        if environment.keepsIncomplete {
          environment.damage.noteIncomplete(reason)
          break
        }
        throw MediaError(
          .incomplete, operation, path: input.displayName, reason: "input is incomplete: \(reason)",
          advice: "check the disk or copy the file again, or keep what there is with --allow-incomplete",
          details: environment.diagnostics.lines)
      }
      if status == rw_error_end { break }
      environment.damage.note("unreadable packet")
      attempts += 1
      if attempts > 50 || status == rw_error_no_memory { break }
    }
    noteWhetherComplete()
    return false
  }

  /// The presentation time of a packet (0 = start of the file); nil when it has none.
  public func time(of packet: Packet) -> MediaTime? {
    (packet.presentationTicks ?? packet.decodeTicks).map { MediaTime(ticks: $0, timeBase: packet.timeBase) - startTime }
  }
}
