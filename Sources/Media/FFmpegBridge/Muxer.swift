import CFFmpeg
import CShims
public import FileAccess
import Glibc
public import MediaCore

/// Writes packets into a container over a descriptor. Not safe to share between threads.
///
/// Order of calls: `addStream` for each stream, `start`, `write` with packets in any interleaving whose times rise within
/// each stream, `finish`. Nothing is ever opened by name.
public struct Muxer: ~Copyable {
  public let output: OutputFile
  private let environment: MediaEnvironment
  private let context: UnsafeMutablePointer<AVFormatContext>
  private let bytes: OpaquePointer
  private var inputUnits: [Rational] = []
  /// Samples that an encoder put before the first one, for each stream of sound that was encoded here, in the stream's unit.
  private var priming: [Int: Int64] = [:]
  /// Those of sound that begins late in a file with edit lists: it is delayed by them, and they are cut at the end.
  private var lateStreams: [Int: Int64] = [:]
  /// What players take off the times of Opus in Matroska and WebM, in the stream's unit: RFC 9559 has a block's time include the codec's delay,
  /// which FFmpeg 5.1 writes into the header and leaves out of the times.
  private var codecDelays: [Int: Int64] = [:]
  private var hasStarted = false
  private var hasFinished = false
  /// Packets written for each stream.
  public private(set) var packetCounts: [Int64] = []

  /// - Parameters:
  ///   - format: FFmpeg's muxer name: `"mp4"`, `"mov"`, `"matroska"`, `"webm"` …
  ///   - output: an empty file that is open for reading and writing.
  public init(format: String, output: OutputFile, environment: MediaEnvironment) throws(MediaError) {
    let operation = "cannot write \(output.displayName)"
    var context: UnsafeMutablePointer<AVFormatContext>?
    let status = avformat_alloc_output_context2(&context, nil, format, nil)
    guard status >= 0, let context else {
      throw MediaError(.unavailable, operation, path: output.displayName, reason: "this FFmpeg cannot write the format \(format)")
    }
    guard let bytes = rw_output_create(output.descriptor.rawValue, environment.limits.outputBytes) else {
      avformat_free_context(context)
      throw MediaError(.refused, operation, reason: "out of memory")
    }
    context.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
    context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT
    rw_format_allow_rereading(context, bytes)
    self.output = output
    self.environment = environment
    self.context = context
    self.bytes = bytes
  }

  deinit {
    avformat_free_context(context)
    rw_output_free(bytes)
  }

  /// Whether the container keeps parameter sets in its header.
  public var wantsGlobalHeader: Bool { context.pointee.oformat.pointee.flags & AVFMT_GLOBALHEADER != 0 }

  /// What a stream carries besides its packets.
  public struct StreamTags: Sendable {
    public var language: String?
    public var title: String?
    /// `"hvc1"` …; nil keeps the container's choice.
    public var codecTag: String?
    /// Frame rate to state in the header; 0/1 for none.
    public var frameRate = Rational.zero
    /// How players must turn the pictures. Default upright.
    public var orientation = Orientation.upright
    /// Whether players choose this stream of its kind; nil leaves it to the container.
    public var isDefault: Bool?
    /// The light of HDR pictures, for containers that state it (MP4's `mdcv` and `clli`, Matroska's mastering metadata).
    public var hdr: HDRMetadata?

    public init(language: String? = nil, title: String? = nil, codecTag: String? = nil, frameRate: Rational = .zero) {
      self.language = language
      self.title = title
      self.codecTag = codecTag
      self.frameRate = frameRate
    }
  }

  /// Adds the stream that `encoder` makes; returns its index.
  public mutating func addStream(_ encoder: borrowing Encoder, tags: StreamTags = StreamTags()) throws(MediaError) -> Int {
    let index = try addStream(CodecParameters(of: encoder.context), unit: encoder.timeBase, tags: tags)
    if encoder.primingSampleCount > 0, ["mp4", "mov", "ipod"].contains(String(cString: context.pointee.oformat.pointee.name)) {
      priming[index] = Int64(encoder.primingSampleCount)
    }
    return index
  }

  /// Adds a stream of packets that were encoded elsewhere; returns its index.
  public mutating func addStream(_ stream: EncodedStream, tags: StreamTags = StreamTags()) throws(MediaError) -> Int {
    try addStream(stream.parameters, unit: stream.timeBase, tags: tags)
  }

  /// Adds a stream whose packets are copied from `stream`; returns its index.
  public mutating func addStream(copying stream: StreamInfo, tags: StreamTags = StreamTags()) throws(MediaError) -> Int {
    let parameters = CodecParameters(copying: stream.parameters.raw)
    parameters.raw.pointee.codec_tag = 0
    let index = try addStream(parameters, unit: stream.timeBase, tags: tags)
    let added = context.pointee.streams[index]!
    added.pointee.disposition = stream.disposition
    added.pointee.sample_aspect_ratio = parameters.raw.pointee.sample_aspect_ratio
    if stream.sampleAspectRatio != Rational(1) {
      added.pointee.sample_aspect_ratio = stream.sampleAspectRatio.avRational
      added.pointee.codecpar.pointee.sample_aspect_ratio = stream.sampleAspectRatio.avRational
    }
    if stream.averageFrameRate.isPositive { added.pointee.avg_frame_rate = stream.averageFrameRate.avRational }
    for (type, bytes) in stream.sideData { Muxer.addSideData(bytes, type: type, to: added) }
    // Without them an attachment cannot be found by what refers to it.
    for key in ["filename", "mimetype"] {
      if let value = stream.metadata[key] { av_dict_set(&added.pointee.metadata, key, value, 0) }
    }
    return index
  }

  /// Whether the container can hold a stream of that kind and codec.
  public func canHold(_ stream: StreamInfo) -> Bool { Muxer.canHold(stream, format: String(cString: context.pointee.oformat.pointee.name)) }

  /// Whether the container that FFmpeg calls `format` can hold a stream of that kind and codec.
  public static func canHold(_ stream: StreamInfo, format: String) -> Bool {
    if stream.kind == .attachment { return format == "matroska" }
    // FFmpeg's tables of MP4 and its kin leave covers out, and its Matroska muxer would make a video of one.
    if stream.kind == .attachedPicture {
      return ["mp4", "mov", "ipod", "mp3", "flac"].contains(format) && ["mjpeg", "png"].contains(stream.codec)
    }
    guard let muxer = av_guess_format(format, nil, nil) else { return false }
    return avformat_query_codec(muxer, stream.parameters.raw.pointee.codec_id, FF_COMPLIANCE_NORMAL) == 1
  }

  private static func addSideData(_ bytes: [UInt8], type: UInt32, to stream: UnsafeMutablePointer<AVStream>) {
    guard let data = av_stream_new_side_data(stream, AVPacketSideDataType(type), bytes.count) else { return }
    data.update(from: bytes, count: bytes.count)
  }

  mutating func addStream(_ parameters: CodecParameters, unit: Rational, tags: StreamTags) throws(MediaError) -> Int {
    guard let stream = avformat_new_stream(context, nil), avcodec_parameters_copy(stream.pointee.codecpar, parameters.raw) >= 0 else {
      throw MediaError(.refused, "cannot write \(output.displayName)", reason: "out of memory")
    }
    stream.pointee.time_base = unit.avRational
    stream.pointee.sample_aspect_ratio = parameters.raw.pointee.sample_aspect_ratio
    if tags.frameRate.isPositive { stream.pointee.avg_frame_rate = tags.frameRate.avRational }
    if let tag = tags.codecTag?.utf8, tag.count == 4 {
      stream.pointee.codecpar.pointee.codec_tag = tag.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    if let language = tags.language { av_dict_set(&stream.pointee.metadata, "language", language, 0) }
    if !tags.orientation.isUpright {
      let bytes = tags.orientation.displayMatrix.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
      Muxer.addSideData(bytes, type: AV_PKT_DATA_DISPLAYMATRIX.rawValue, to: stream)
    }
    for (type, bytes) in tags.hdr?.sideData ?? [] { Muxer.addSideData(bytes, type: type, to: stream) }
    if let isDefault = tags.isDefault { stream.pointee.disposition = isDefault ? AV_DISPOSITION_DEFAULT : 0 }
    if let title = tags.title { av_dict_set(&stream.pointee.metadata, "title", title, 0) }
    let sound = stream.pointee.codecpar.pointee
    if sound.codec_id == AV_CODEC_ID_OPUS, sound.initial_padding > 0, sound.sample_rate > 0,
      ["matroska", "webm"].contains(String(cString: context.pointee.oformat.pointee.name))
    {
      codecDelays[Int(stream.pointee.index)] = av_rescale_q(
        Int64(sound.initial_padding), AVRational(num: 1, den: sound.sample_rate), unit.avRational)
    }
    inputUnits.append(unit)
    packetCounts.append(0)
    return Int(stream.pointee.index)
  }

  /// Adds a chapter; before `start`.
  public mutating func addChapter(_ chapter: Demuxer.Chapter) {
    let unit = AVRational(num: 1, den: 1000)
    let count = Int(context.pointee.nb_chapters)
    let size = (count + 1) * MemoryLayout<UnsafeMutablePointer<AVChapter>?>.stride
    guard let list = av_realloc(context.pointee.chapters, size),
      let entry = av_mallocz(MemoryLayout<AVChapter>.size)?.assumingMemoryBound(to: AVChapter.self)
    else { return }
    entry.pointee.id = Int64(count)
    entry.pointee.time_base = unit
    entry.pointee.start = chapter.start.ticks(in: Rational(1, 1000))
    entry.pointee.end = chapter.end.ticks(in: Rational(1, 1000))
    if let title = chapter.title { av_dict_set(&entry.pointee.metadata, "title", title, 0) }
    context.pointee.chapters = list.assumingMemoryBound(to: UnsafeMutablePointer<AVChapter>?.self)
    context.pointee.chapters[count] = entry
    context.pointee.nb_chapters = UInt32(count + 1)
  }

  /// Writes the header.
  ///
  /// - Parameter options: the muxer's: `["movflags": "+faststart"]`.
  public mutating func start(metadata: [String: String] = [:], options: [String: String] = [:]) throws(MediaError) {
    for (key, value) in metadata { av_dict_set(&context.pointee.metadata, key, value, 0) }
    var dictionary: OpaquePointer?
    defer { av_dict_free(&dictionary) }
    for (key, value) in options { av_dict_set(&dictionary, key, value, 0) }
    let status = environment.diagnostics.collecting { avformat_write_header(context, &dictionary) }
    guard status >= 0 else { throw failure(status) }
    hasStarted = true
  }

  /// Writes one packet to stream `index`. The packet is consumed.
  public mutating func write(_ packet: Packet, to index: Int) throws(MediaError) {
    let stream = context.pointee.streams[index]!
    packet.streamIndex = index
    if let samples = priming[index] {
      if packetCounts[index] == 0, (packet.presentationTicks ?? -samples) > -samples { lateStreams[index] = samples }
      if let delay = lateStreams[index] { packet.delay(by: delay) }
    }
    if let delay = codecDelays[index] { packet.delay(by: delay) }
    packet.rescale(to: Rational(stream.pointee.time_base))
    packet.raw.pointee.pos = -1
    let status = environment.diagnostics.collecting { av_interleaved_write_frame(context, packet.raw) }
    guard status >= 0 else { throw failure(status) }
    packetCounts[index] += 1
  }

  /// Writes the trailer; the file is whole after it.
  public mutating func finish() throws(MediaError) {
    let status = environment.diagnostics.collecting { av_write_trailer(context) }
    avio_flush(context.pointee.pb)
    guard status >= 0, rw_output_errno(bytes) == 0, context.pointee.pb.pointee.error >= 0 else { throw failure(status) }
    if !lateStreams.isEmpty {
      var patch = EditListPatch(output.descriptor)
      guard patch.cut(Dictionary(uniqueKeysWithValues: lateStreams.map { ($0 + 1, $1) })) else {
        throw MediaError(
          .io, "cannot write \(output.displayName)", path: output.displayName, reason: "its header could not be written again",
          advice: "check the disk")
      }
    }
    hasFinished = true
  }

  /// Bytes in the file so far.
  public var byteCount: Int64 { rw_output_byte_count(bytes) }

  private func failure(_ status: Int32) -> MediaError {
    let operation = "cannot write \(output.displayName)"
    let number = rw_output_errno(bytes)
    if rw_output_reached_limit(bytes) {
      return environment.limits.refusal(
        operation, path: output.displayName, name: "output-bytes", found: environment.limits.outputBytes + 1, of: "bytes")
    }
    if number != 0 {
      let advice =
        switch number {
        case ENOSPC, EDQUOT: "free some space and try again"
        case EFBIG: "raise the limit on the size of files (ulimit -f), or write to a file system that takes larger ones"
        default: "check the disk"
        }
      return MediaError(.io, operation, path: output.displayName, reason: String(cString: strerror(number)), advice: advice)
    }
    return FFmpegError.make(status, operation, path: output.displayName, fallback: .usage, diagnostics: environment.diagnostics)
  }
}
