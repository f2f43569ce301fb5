import CFFmpeg
import CShims
import FileAccess
public import MediaCore

/// Decodes the packets of one video or audio stream. Not safe to share between threads.
///
/// Feed with `send`, take with `receiveVideo` or `receiveAudio`: after each `send` take until `.needsInput`. `send(nil)`
/// starts draining; frames then come until `.end`. Damage is booked in the environment's log, and decoding goes on.
public struct Decoder: ~Copyable {
  /// What asking for a frame gave.
  public enum Step<Frame> {
    case frame(Frame)
    /// Send the next packet first.
    case needsInput
    /// All frames have come.
    case end
  }

  public let stream: StreamInfo
  /// What becomes 0 on the presentation timeline.
  public let startTime: MediaTime
  let context: UnsafeMutablePointer<AVCodecContext>
  let environment: MediaEnvironment
  private let displayName: String
  private var nextTime: MediaTime?
  private var profile: (bytes: [UInt8], converter: ColorProfile?)?
  /// Frames that came out so far.
  public private(set) var frameCount: Int64 = 0
  /// Packets that went in so far.
  public private(set) var packetCount: Int64 = 0
  /// Packets that could not be decoded so far.
  private(set) var failureCount: Int64 = 0

  /// Opens a decoder for `stream` of `demuxer`.
  ///
  /// - Parameter threads: overrides the environment's; 1 for decoders that run beside others.
  /// - Throws: `unavailable` when this FFmpeg has no decoder for the codec.
  public init(
    _ stream: StreamInfo, of demuxer: borrowing Demuxer, environment: MediaEnvironment, threads: Int? = nil
  ) throws(MediaError) {
    try self.init(
      stream, startTime: demuxer.startTime, displayName: demuxer.input.displayName, environment: environment, threads: threads)
  }

  /// Opens a decoder for packets whose time `startTime` is shown as 0.
  public init(
    _ stream: StreamInfo, startTime: MediaTime, displayName: String, environment: MediaEnvironment, threads: Int? = nil
  ) throws(MediaError) {
    let operation = "cannot decode \(displayName)"
    guard let codec = Decoder.codec(for: stream) else {
      throw MediaError(
        .unavailable, operation, path: displayName, reason: "no decoder for \(stream.kind.rawValue) codec \(stream.codec)",
        advice: "this FFmpeg (\(String(cString: rw_ffmpeg_version()))) cannot read it; convert it elsewhere first")
    }
    guard let context = avcodec_alloc_context3(codec) else {
      throw MediaError(.refused, operation, path: displayName, reason: "out of memory")
    }
    var opened: UnsafeMutablePointer<AVCodecContext>? = context
    var status = avcodec_parameters_to_context(context, stream.parameters.raw)
    if status >= 0 {
      context.pointee.opaque = UnsafeMutableRawPointer(environment.diagnostics.raw)
      context.pointee.pkt_timebase = stream.timeBase.avRational
      context.pointee.thread_count = Int32(threads ?? environment.threads)
      context.pointee.max_pixels = environment.limits.pixelsPerFrame
      status = environment.diagnostics.collecting { avcodec_open2(context, codec, nil) }
    }
    guard status >= 0 else {
      avcodec_free_context(&opened)
      if let refusal = environment.refusal(operation, path: displayName) { throw refusal }
      throw FFmpegError.opening(status, operation, path: displayName, fallback: .damaged, diagnostics: environment.diagnostics)
    }
    self.stream = stream
    self.startTime = startTime
    self.context = context
    self.environment = environment
    self.displayName = displayName
  }

  deinit {
    var context: UnsafeMutablePointer<AVCodecContext>? = context
    avcodec_free_context(&context)
  }

  /// FFmpeg's own VP8 and VP9 decoders drop the alpha plane; nothing else is preferred over FFmpeg's default.
  private static func codec(for stream: StreamInfo) -> UnsafePointer<AVCodec>? {
    avcodec_find_decoder(stream.parameters.raw.pointee.codec_id)
  }

  /// Which frames are decoded at all.
  public enum Skip: Sendable { case nothing, nonReference, nonKeyframes }

  public mutating func skip(_ skip: Skip) {
    context.pointee.skip_frame =
      switch skip {
      case .nothing: AVDISCARD_DEFAULT
      case .nonReference: AVDISCARD_NONREF
      case .nonKeyframes: AVDISCARD_NONKEY
      }
  }

  /// Forgets everything, for use after a seek.
  public mutating func flush() {
    avcodec_flush_buffers(context)
    nextTime = nil
  }

  /// Hands in a packet, or nil at the end. A packet that cannot be decoded is booked as damage.
  public mutating func send(_ packet: Packet?) throws(MediaError) {
    if packet != nil { packetCount += 1 }
    let status = avcodec_send_packet(context, packet?.raw)
    if status >= 0 || status == rw_error_end { return }
    if status == rw_error_again {
      throw MediaError(.bug, "cannot decode \(displayName)", reason: "a packet was sent before all frames were taken")
    }
    if status == rw_error_no_memory {
      throw FFmpegError.make(status, "cannot decode \(displayName)", path: displayName, diagnostics: environment.diagnostics)
    }
    let time = packet.flatMap { packet in
      (packet.presentationTicks ?? packet.decodeTicks).map { MediaTime(ticks: $0, timeBase: stream.timeBase) - startTime }
    }
    failureCount += 1
    environment.damage.note("undecodable packet", stream: stream.index, time: time)
  }

  /// The next picture, in presentation order. Stills with an ICC profile come in sRGB.
  public mutating func receiveVideo() throws(MediaError) -> Step<VideoFrame> {
    let frame = VideoFrame.allocate()
    switch try receive(frame) {
    case .needsInput: return .needsInput
    case .end:
      noteConcealment(of: nil, time: nextTime)
      if frameCount == 0, let refusal = environment.refusal("cannot decode \(displayName)", path: displayName) { throw refusal }
      return .end
    case .frame: break
    }
    let (time, duration) = times(of: frame, guess: stream.averageFrameRate.reciprocal)
    let result = VideoFrame(owning: frame, time: time, duration: duration, orientation: orientation(of: frame))
    // What the container says goes before what the stream says of itself, as in every player.
    if stream.statesAspect || !Rational(frame.pointee.sample_aspect_ratio).isPositive {
      frame.pointee.sample_aspect_ratio = stream.sampleAspectRatio.avRational
    }
    noteConcealment(of: result, time: time)
    if let side = av_frame_get_side_data(frame, AV_FRAME_DATA_ICC_PROFILE) {
      let bytes = Array(UnsafeBufferPointer(start: side.pointee.data, count: Int(side.pointee.size)))
      // Animations carry the same profile on every picture.
      if profile?.bytes != bytes { profile = (bytes, ColorProfile(bytes)) }
      if let converter = profile?.converter { return .frame(try converter.convertToSRGB(result)) }
    }
    return .frame(result)
  }

  /// The next piece of sound.
  public mutating func receiveAudio() throws(MediaError) -> Step<AudioFrame> {
    let frame = VideoFrame.allocate()
    switch try receive(frame) {
    case .needsInput: return .needsInput
    case .end: return .end
    case .frame: break
    }
    let rate = max(1, Int64(frame.pointee.sample_rate))
    let (time, _) = times(of: frame, guess: Rational(Int64(frame.pointee.nb_samples), rate))
    nextTime = time + MediaTime(Rational(Int64(frame.pointee.nb_samples), rate))
    return .frame(AudioFrame(owning: frame, time: time))
  }

  /// Books what was concealed. With frame threads a frame may be handed out before the thread that conceals it sets the frame's
  /// flag: there, what libavcodec says counts (within a few frames of it), and the flag only where it means something else.
  private func noteConcealment(of frame: VideoFrame?, time: MediaTime?) {
    var count = frame?.isDamaged == true ? 1 : 0
    if context.pointee.active_thread_type & FF_THREAD_FRAME != 0 {
      if frame?.isConcealed == true { count = 0 }
      count += environment.diagnostics.takeConcealments()
    }
    environment.damage.note("concealed frame", stream: stream.index, time: time, count: count)
  }

  /// Fills `frame`; frees it when there is none.
  private mutating func receive(_ frame: UnsafeMutablePointer<AVFrame>) throws(MediaError) -> Step<Void> {
    while true {
      let status = avcodec_receive_frame(context, frame)
      if status >= 0 {
        frameCount += 1
        return .frame(())
      }
      // A damaged picture: FFmpeg has dropped it and goes on with the next.
      if status != rw_error_again && status != rw_error_end && status != rw_error_no_memory {
        failureCount += 1
        environment.damage.note("undecodable packet", stream: stream.index, time: nextTime)
        continue
      }
      var frame: UnsafeMutablePointer<AVFrame>? = frame
      av_frame_free(&frame)
      if status == rw_error_again { return .needsInput }
      if status == rw_error_end { return .end }
      throw FFmpegError.make(status, "cannot decode \(displayName)", path: displayName, diagnostics: environment.diagnostics)
    }
  }

  /// Presentation time and duration; a frame without a time follows the one before. In streams without times a packet may
  /// hold one field; then the nominal frame lasts twice as long as the packet says, and counts.
  private mutating func times(of frame: UnsafeMutablePointer<AVFrame>, guess: Rational) -> (MediaTime, MediaTime) {
    let ticks = frame.pointee.best_effort_timestamp
    let time = ticks == rw_no_timestamp ? (nextTime ?? .zero) : MediaTime(ticks: ticks, timeBase: stream.timeBase) - startTime
    var duration = MediaTime(ticks: max(0, frame.pointee.pkt_duration), timeBase: stream.timeBase)
    if duration == .zero { duration = MediaTime(guess) }
    if ticks == rw_no_timestamp, stream.nominalFrameRate.isPositive {
      let nominal = MediaTime(stream.nominalFrameRate.reciprocal)
      if nominal == duration + duration { duration = nominal }
    }
    nextTime = time + duration
    return (time, duration)
  }

  /// The frame's own display matrix (JPEG's EXIF arrives that way), else the stream's.
  private func orientation(of frame: UnsafeMutablePointer<AVFrame>) -> Orientation {
    guard let side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX), side.pointee.size >= 36 else {
      if let entry = av_dict_get(frame.pointee.metadata, "Orientation", nil, 0),
        let value = Int(String(cString: entry.pointee.value).filter(\.isNumber)), let orientation = Orientation(exif: value)
      {
        return orientation
      }
      return stream.orientation
    }
    return side.pointee.data.withMemoryRebound(to: Int32.self, capacity: 9) { Orientation(displayMatrix: $0) }
  }
}
