/// The NAL units of an H.264 or HEVC packet, with length prefixes of 1...4 bytes or Annex B start codes.
struct NALUnits: Sequence, IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  private let lengthBytes: Int?
  private var position: Int

  init(_ bytes: UnsafeRawBufferPointer, lengthBytes: Int?) {
    self.bytes = bytes
    self.lengthBytes = lengthBytes
    position = 0
    if lengthBytes == nil { position = Self.startCode(in: bytes, from: 0)?.end ?? bytes.count }
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard position < bytes.count else { return nil }
    if let lengthBytes {
      guard position + lengthBytes <= bytes.count else { return nil }
      var length = 0
      for i in 0..<lengthBytes { length = length << 8 | Int(bytes[position + i]) }
      let start = position + lengthBytes
      let end = Swift.min(start + length, bytes.count)
      position = end
      return .init(rebasing: bytes[start..<end])
    }
    let start = position
    guard let code = Self.startCode(in: bytes, from: start) else {
      position = bytes.count
      return .init(rebasing: bytes[start...])
    }
    position = code.end
    return .init(rebasing: bytes[start..<code.start])
  }

  private static func startCode(in bytes: UnsafeRawBufferPointer, from: Int) -> (start: Int, end: Int)? {
    var i = from
    while i + 3 <= bytes.count {
      if bytes[i + 2] > 1 {
        i += 3
      } else if bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1 {
        return (i, i + 3)
      } else {
        i += 1
      }
    }
    return nil
  }
}
