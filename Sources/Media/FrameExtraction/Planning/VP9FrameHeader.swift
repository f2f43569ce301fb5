/// The part of a VP9 uncompressed header that says what a frame leaves behind (VP9 bitstream specification 0.6, 6.2 and annex B).
enum VP9FrameHeader {
  static func dependency(of packet: UnsafeRawBufferPointer) -> PictureDependency {
    var result = PictureDependency(isDisposable: true, isShown: false)
    for (index, frame) in frames(of: packet).enumerated() {
      guard let one = header(frame) else { return PictureDependency(isDisposable: false, startsClean: false) }
      // Later frames of a superframe start from whatever its first one left.
      if index == 0 { result.startsClean = one.startsClean }
      result.isShown = result.isShown || one.isShown
      result.isDisposable = result.isDisposable && one.isDisposable
    }
    return result
  }

  private static func header(_ frame: UnsafeRawBufferPointer) -> PictureDependency? {
    var reader = BitReader(frame)
    guard reader.bits(2) == 2 else { return nil }
    let profile = reader.bits(1) | reader.bits(1) << 1
    if profile == 3 { reader.skip(1) }
    // A frame shown again changes nothing.
    if reader.bit() { return reader.isExhausted ? nil : PictureDependency(isDisposable: true, startsClean: false) }
    let isKey = !reader.bit()
    let isShown = reader.bit()
    let isErrorResilient = reader.bit()
    if isKey { return PictureDependency(isDisposable: false, isShown: isShown) }
    let isIntraOnly = isShown ? false : reader.bit()
    if !isErrorResilient { reader.skip(2) }
    if isIntraOnly { return PictureDependency(isDisposable: false, startsClean: isErrorResilient, isShown: isShown) }
    let refreshFlags = reader.bits(8)
    guard !reader.isExhausted else { return nil }
    return PictureDependency(isDisposable: refreshFlags == 0, startsClean: isErrorResilient, isShown: isShown)
  }

  /// The frames of a superframe; the packet itself when it is none.
  private static func frames(of packet: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
    guard let marker = packet.last, marker & 0xE0 == 0xC0 else { return [packet] }
    let count = Int(marker & 7) + 1
    let sizeBytes = Int(marker >> 3 & 3) + 1
    let indexBytes = 2 + count * sizeBytes
    guard packet.count > indexBytes, packet[packet.count - indexBytes] == marker else { return [packet] }
    var frames: [UnsafeRawBufferPointer] = []
    var offset = 0
    for i in 0..<count {
      var size = 0
      for k in 0..<sizeBytes { size |= Int(packet[packet.count - indexBytes + 1 + i * sizeBytes + k]) << (8 * k) }
      guard offset + size <= packet.count - indexBytes else { return [packet] }
      if size > 0 { frames.append(.init(rebasing: packet[offset..<(offset + size)])) }
      offset += size
    }
    return frames
  }
}
