import CFFmpeg
import CShims
public import MediaCore

/// Converts sound of any rate, layout and sample format to float blocks of one rate and channel count, without gaps.
///
/// Works on a timeline that starts at 0: a hole in the input's timestamps becomes silence, an overlap is cut, and what
/// lies before 0 is cut. Steps of less than 20 ms are taken for rounding of timestamps and ignored. Not safe to share
/// between threads.
public struct Resampler: ~Copyable {
  public let sampleRate: Int
  public let channels: Int
  private var context: OpaquePointer?
  private var key: String = ""
  /// Where the next converted sample goes.
  private var position: Int64?
  /// Where the next input frame is expected.
  private var expected: MediaTime?
  /// Converted samples still to be dropped: before time 0, or heard already.
  private var surplus: Int64 = 0

  /// - Parameters:
  ///   - sampleRate: of the results, in hertz.
  ///   - channels: 1 (mono) or 2 (stereo); more channels keep FFmpeg's default layout for the count.
  public init(sampleRate: Int, channels: Int) {
    self.sampleRate = sampleRate
    self.channels = channels
  }

  deinit {
    var context = context
    swr_free(&context)
  }

  /// What `frame` becomes: usually one block, none while the filter fills, two when silence comes before.
  public mutating func convert(_ frame: AudioFrame) throws(MediaError) -> [AudioBlock] {
    var blocks: [AudioBlock] = []
    let key = "\(frame.sampleRate)/\(frame.sampleFormat)/\(frame.channels)"
    if key != self.key {
      if let rest = try flush() { blocks.append(rest) }
      try prepare(frame, key: key)
    }
    let unit = Rational(1, Int64(sampleRate))
    let start = frame.time.ticks(in: unit)
    if position == nil {
      position = max(0, start)
      surplus = max(0, -start)
    }
    if let expected, let held = position {
      let gap = (frame.time - expected).doubleValue
      if gap > 0.02 {
        if let rest = try flush() { blocks.append(rest) }
        let from = position ?? held
        let silence = min(max(0, start - from), Int64(sampleRate) * 600)
        if silence > 0 {
          blocks.append(AudioBlock(silence: Int(silence), channels: channels, sampleRate: sampleRate, start: from))
          position = from + silence
        }
      }
    }
    if let expected, (expected - frame.time).doubleValue > 0.02 {
      surplus += (expected - frame.time).ticks(in: unit)
    }
    expected = frame.time + frame.mediaDuration
    if var block = try convert(frame.raw, count: frame.sampleCount) {
      let cut = min(surplus, Int64(block.sampleCount))
      if cut > 0 {
        block.channels = block.channels.map { Array($0.dropFirst(Int(cut))) }
        position = (position ?? 0) - cut
        surplus -= cut
      }
      if block.sampleCount > 0 { blocks.append(block) }
    }
    return blocks
  }

  /// The samples that the filter still holds; nil when there are none.
  public mutating func flush() throws(MediaError) -> AudioBlock? {
    guard context != nil else { return nil }
    let block = try convert(nil, count: 0)
    swr_close(context)
    swr_init(context)
    return block
  }

  private mutating func convert(_ frame: UnsafeMutablePointer<AVFrame>?, count: Int) throws(MediaError) -> AudioBlock? {
    let room = Int(swr_get_out_samples(context, Int32(count))) + 32
    var arrays: [[Float]] = []
    var produced: Int32 = 0
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>.allocate(capacity: max(8, channels))
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: room * channels)
    defer {
      pointers.deallocate()
      memory.deallocate()
    }
    for channel in 0..<channels {
      pointers[channel] = UnsafeMutableRawPointer(memory + channel * room).assumingMemoryBound(to: UInt8.self)
    }
    let input = frame.map { frame in
      UnsafeMutableRawPointer(frame.pointee.extended_data!).assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
    }
    produced = swr_convert(context, pointers, Int32(room), input, Int32(count))
    guard produced >= 0 else {
      throw MediaError(.bug, "cannot resample sound", reason: FFmpegError.text(produced))
    }
    guard produced > 0 else { return nil }
    for channel in 0..<channels {
      arrays.append(Array(UnsafeBufferPointer(start: memory + channel * room, count: Int(produced))))
    }
    let start = position ?? 0
    position = start + Int64(produced)
    return AudioBlock(channels: arrays, sampleRate: sampleRate, start: start)
  }

  private mutating func prepare(_ frame: AudioFrame, key: String) throws(MediaError) {
    swr_free(&context)
    var target = AVChannelLayout()
    av_channel_layout_default(&target, Int32(channels))
    var source = AVChannelLayout()
    if frame.raw.pointee.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC {
      av_channel_layout_default(&source, frame.raw.pointee.ch_layout.nb_channels)
    } else {
      av_channel_layout_copy(&source, &frame.raw.pointee.ch_layout)
    }
    defer { av_channel_layout_uninit(&source) }
    let status = swr_alloc_set_opts2(
      &context, &target, AV_SAMPLE_FMT_FLTP, Int32(sampleRate), &source, AVSampleFormat(frame.raw.pointee.format),
      Int32(frame.sampleRate), 0, nil)
    guard status >= 0, swr_init(context) >= 0 else {
      throw MediaError(.damaged, "cannot resample sound", reason: "\(key) is no possible sound format")
    }
    self.key = key
  }
}
