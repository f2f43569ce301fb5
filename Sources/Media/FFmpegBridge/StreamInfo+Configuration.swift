import CFFmpeg

extension StreamInfo {
  /// The decoder's configuration record or parameter sets as the container stores them (FFmpeg's `extradata`); often empty.
  public var decoderConfiguration: [UInt8] {
    let parameters = parameters.raw.pointee
    guard let data = parameters.extradata, parameters.extradata_size > 0 else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: Int(parameters.extradata_size)))
  }
}
