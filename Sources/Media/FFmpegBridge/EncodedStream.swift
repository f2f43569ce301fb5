import CFFmpeg
public import MediaCore

/// What a muxer must know about a stream of encoded packets, apart from the encoder that made them.
public struct EncodedStream: Sendable {
  let parameters: CodecParameters
  /// The unit of the encoder's timestamps.
  public let timeBase: Rational
  /// How many packets a picture's own packet may come after it in decoding order.
  public let reorderDepth: Int

  /// The stream that `encoder` makes.
  public init(of encoder: borrowing Encoder) {
    parameters = CodecParameters(of: encoder.context)
    timeBase = encoder.timeBase
    reorderDepth = Int(encoder.context.pointee.has_b_frames)
  }

  private init(parameters: CodecParameters, timeBase: Rational, reorderDepth: Int) {
    self.parameters = parameters
    self.timeBase = timeBase
    self.reorderDepth = reorderDepth
  }

  /// The decoder's configuration record or parameter sets (FFmpeg's `extradata`); often empty.
  public var configuration: [UInt8] { parameters.configuration }

  /// The same stream with another configuration and unit.
  public func with(configuration: [UInt8], timeBase: Rational) -> EncodedStream {
    let copy = CodecParameters(copying: parameters.raw)
    copy.setConfiguration(configuration)
    return EncodedStream(parameters: copy, timeBase: timeBase, reorderDepth: reorderDepth)
  }
}

extension CodecParameters {
  var configuration: [UInt8] {
    guard let data = raw.pointee.extradata, raw.pointee.extradata_size > 0 else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: Int(raw.pointee.extradata_size)))
  }

  /// Only on parameters that nobody else has seen yet.
  func setConfiguration(_ bytes: [UInt8]) {
    av_freep(&raw.pointee.extradata)
    raw.pointee.extradata_size = 0
    guard !bytes.isEmpty, let data = av_mallocz(bytes.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else { return }
    data.copyMemory(from: bytes, byteCount: bytes.count)
    raw.pointee.extradata = data.assumingMemoryBound(to: UInt8.self)
    raw.pointee.extradata_size = Int32(bytes.count)
  }
}
