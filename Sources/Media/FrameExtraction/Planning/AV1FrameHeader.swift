/// The fields of an AV1 sequence header that a frame header cannot be read without (AV1 specification, 5.5).
struct AV1SequenceHeader: Equatable, Sendable {
  var isReducedStillPicture = false
  var hasFrameIDs = false
  var deltaFrameIDBits = 0
  var frameIDBits = 0
  var orderHintBits = 0
  var choosesScreenContentTools = false
  var forcesScreenContentTools = false
  var choosesIntegerMV = false
  var equalPictureInterval = false
  var hasDecoderModel = false
  var framePresentationTimeBits = 0
  var bufferRemovalTimeBits = 0
  /// For every operating point, its idc where a decoder model is present for it.
  var operatingPointsWithModel: [UInt32] = []

  /// The first sequence header among some OBUs.
  static func find(in bytes: UnsafeRawBufferPointer) -> AV1SequenceHeader? {
    for obu in AV1Units(bytes) where obu.type == 1 { return AV1SequenceHeader(obu.payload) }
    return nil
  }

  init?(_ payload: UnsafeRawBufferPointer) {
    var reader = BitReader(payload)
    reader.skip(3 + 1)  // profile, still picture
    isReducedStillPicture = reader.bit()
    if isReducedStillPicture { return }
    var delayBits = 0
    if reader.bit() {  // timing info
      reader.skip(64)
      equalPictureInterval = reader.bit()
      if equalPictureInterval { _ = reader.uvlc() }
      hasDecoderModel = reader.bit()
      if hasDecoderModel {
        delayBits = Int(reader.bits(5)) + 1
        reader.skip(32)
        bufferRemovalTimeBits = Int(reader.bits(5)) + 1
        framePresentationTimeBits = Int(reader.bits(5)) + 1
      }
    }
    let hasDisplayDelay = reader.bit()
    for _ in 0...Int(reader.bits(5)) {
      let idc = reader.bits(12)
      if reader.bits(5) > 7 { reader.skip(1) }
      if hasDecoderModel && reader.bit() {
        operatingPointsWithModel.append(idc)
        reader.skip(2 * delayBits + 1)
      }
      if hasDisplayDelay && reader.bit() { reader.skip(4) }
    }
    let widthBits = Int(reader.bits(4)) + 1
    let heightBits = Int(reader.bits(4)) + 1
    reader.skip(widthBits + heightBits)
    hasFrameIDs = reader.bit()
    if hasFrameIDs {
      deltaFrameIDBits = Int(reader.bits(4)) + 2
      frameIDBits = Int(reader.bits(3)) + deltaFrameIDBits + 1
    }
    reader.skip(3)  // 128x128 superblocks, filter intra, intra edge filter
    reader.skip(4)  // interintra, masked, warped, dual filter
    let hasOrderHint = reader.bit()
    if hasOrderHint { reader.skip(2) }
    choosesScreenContentTools = reader.bit()
    forcesScreenContentTools = choosesScreenContentTools ? true : reader.bit()
    if forcesScreenContentTools {
      choosesIntegerMV = reader.bit()
      if !choosesIntegerMV { reader.skip(1) }
    }
    if hasOrderHint { orderHintBits = Int(reader.bits(3)) + 1 }
    if reader.isExhausted { return nil }
  }
}

/// The part of an AV1 frame header up to refresh_frame_flags (AV1 specification, 5.9.2). AV1 keeps all state that outlives
/// a frame in the reference slots, so a frame that refreshes none is disposable whatever follows.
enum AV1FrameHeader {
  static func dependency(of packet: UnsafeRawBufferPointer, _ sequence: inout AV1SequenceHeader?) -> PictureDependency {
    var frames = 0
    for obu in AV1Units(packet) {
      switch obu.type {
      case 1:
        sequence = AV1SequenceHeader(obu.payload) ?? sequence
        return .needed
      case 3, 6:  // frame header, frame
        guard let sequence, isDisposable(obu, sequence) else { return .needed }
        frames += 1
      default: break
      }
    }
    return PictureDependency(isDisposable: frames > 0)
  }

  private static func isDisposable(_ obu: AV1Units.Unit, _ sequence: AV1SequenceHeader) -> Bool {
    guard !sequence.isReducedStillPicture else { return false }
    var reader = BitReader(obu.payload)
    // Showing a stored frame changes nothing unless that is a key frame; which it is, this packet does not say.
    if reader.bit() { return false }
    let type = reader.bits(2)
    guard type == 1 || type == 2 else { return false }  // inter or intra-only
    let isShown = reader.bit()
    if isShown {
      if sequence.hasDecoderModel && !sequence.equalPictureInterval { reader.skip(sequence.framePresentationTimeBits) }
    } else {
      reader.skip(1)  // showable
    }
    let isErrorResilient = reader.bit()
    reader.skip(1)  // disable_cdf_update
    let screenContent = sequence.choosesScreenContentTools ? reader.bit() : sequence.forcesScreenContentTools
    if screenContent && sequence.choosesIntegerMV { reader.skip(1) }
    if sequence.hasFrameIDs { reader.skip(sequence.frameIDBits) }
    reader.skip(1)  // frame_size_override_flag
    reader.skip(sequence.orderHintBits)
    if type == 1 && !isErrorResilient { reader.skip(3) }  // primary_ref_frame
    if sequence.hasDecoderModel && reader.bit() {
      for idc in sequence.operatingPointsWithModel {
        let isInTemporalLayer = idc >> obu.temporalID & 1 == 1
        let isInSpatialLayer = idc >> (obu.spatialID + 8) & 1 == 1
        if idc == 0 || (isInTemporalLayer && isInSpatialLayer) { reader.skip(sequence.bufferRemovalTimeBits) }
      }
    }
    return reader.bits(8) == 0 && !reader.isExhausted
  }
}

/// The open bitstream units of a low-overhead AV1 stream (AV1 specification, 5.3).
struct AV1Units: Sequence, IteratorProtocol {
  struct Unit {
    var type: Int
    var temporalID: UInt32
    var spatialID: UInt32
    var payload: UnsafeRawBufferPointer
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next() -> Unit? {
    guard position < bytes.count else { return nil }
    let header = bytes[position]
    position += 1
    var unit = Unit(type: Int(header >> 3 & 15), temporalID: 0, spatialID: 0, payload: .init(rebasing: bytes[position..<position]))
    if header & 4 != 0 {
      guard position < bytes.count else { return nil }
      unit.temporalID = UInt32(bytes[position] >> 5)
      unit.spatialID = UInt32(bytes[position] >> 3 & 3)
      position += 1
    }
    var size = bytes.count - position
    if header & 2 != 0 {
      size = 0
      var shift = 0
      while position < bytes.count && shift < 56 {
        let byte = bytes[position]
        position += 1
        size |= Int(byte & 127) << shift
        shift += 7
        if byte & 128 == 0 { break }
      }
    }
    let end = Swift.min(bytes.count, position + size)
    unit.payload = .init(rebasing: bytes[position..<end])
    position = end
    return unit
  }
}
