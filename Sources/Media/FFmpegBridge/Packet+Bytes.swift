import CFFmpeg
public import MediaCore

extension Packet {
  /// A packet of given bytes; its times are set afterwards.
  public convenience init(_ bytes: Span<UInt8>, isKeyframe: Bool, timeBase: Rational) {
    self.init()
    guard av_new_packet(raw, Int32(bytes.count)) >= 0 else { fatalError("out of memory") }
    bytes.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { raw.pointee.data.update(from: base, count: source.count) }
    }
    if isKeyframe { raw.pointee.flags |= AV_PKT_FLAG_KEY }
    self.timeBase = timeBase
  }

  /// Samples to leave out at the start and end of what the packet decodes to, as FFmpeg stores them (10 bytes); empty for none.
  public var skippedSamples: [UInt8] {
    get {
      var size = 0
      guard let data = av_packet_get_side_data(raw, AV_PKT_DATA_SKIP_SAMPLES, &size) else { return [] }
      return Array(UnsafeBufferPointer(start: data, count: size))
    }
    set {
      guard !newValue.isEmpty, let data = av_packet_new_side_data(raw, AV_PKT_DATA_SKIP_SAMPLES, newValue.count) else { return }
      data.update(from: newValue, count: newValue.count)
    }
  }

  /// Gives the packet other times in another unit.
  public func setTimes(presentation: Int64, decode: Int64?, duration: Int64, timeBase: Rational) {
    self.timeBase = timeBase
    presentationTicks = presentation
    decodeTicks = decode
    durationTicks = duration
  }
}
