/// What the bytes of one packet say about other pictures depending on it.
struct PictureDependency: Equatable, Sendable {
  /// No picture decoded later refers to this one: it may be left out when nobody wants it shown.
  var isDisposable: Bool
  /// Decoding this packet does not look at state that earlier pictures leave behind outside the reference slots.
  var startsClean = true
  /// A picture comes out of this packet; false for the hidden frames of VP8 and VP9.
  var isShown = true

  /// What is assumed of a packet that could not be understood.
  static let needed = PictureDependency(isDisposable: false)
}

/// Reads from compressed packets whether a picture is a reference, for the codecs where FFmpeg 5.1 does not say.
///
/// Conservative: whatever does not parse counts as needed, so that the targets stay bit-exact.
struct ReferenceClassifier {
  private enum Codec {
    case h264(lengthBytes: Int?)
    case hevc(lengthBytes: Int?, highestSubLayer: Int?)
    case vp8
    case vp9
    case av1(AV1SequenceHeader?)
    case other
  }

  private var codec: Codec

  /// - Parameters:
  ///   - codec: FFmpeg's codec name: `h264`, `hevc`, `vp8`, `vp9`, `av1`; any other name makes every packet needed.
  ///   - configuration: the stream's decoder configuration record or parameter sets (`extradata`).
  ///   - isProgressive: false makes H.264 in Annex B form needed throughout, because a packet may then hold one field.
  init(codec name: String, configuration: [UInt8], isProgressive: Bool) {
    let isRecord = configuration.first == 1
    switch name {
    case "h264":
      if isRecord, configuration.count >= 7 {
        codec = .h264(lengthBytes: Int(configuration[4] & 3) + 1)
      } else {
        codec = isProgressive ? .h264(lengthBytes: nil) : .other
      }
    case "hevc":
      // ISO/IEC 14496-15, HEVCDecoderConfigurationRecord: byte 21 holds numTemporalLayers and lengthSizeMinusOne.
      if isRecord, configuration.count >= 23 {
        let layers = Int(configuration[21] >> 3 & 7)
        codec = .hevc(lengthBytes: Int(configuration[21] & 3) + 1, highestSubLayer: layers > 0 ? layers - 1 : nil)
      } else {
        codec = .hevc(lengthBytes: nil, highestSubLayer: nil)
      }
      configuration.withUnsafeBytes { bytes in
        guard case .hevc(let length, let highest) = codec, highest == nil else { return }
        let start = isRecord ? configuration.count : 0
        if let found = Self.hevcHighestSubLayer(.init(rebasing: bytes[start...])) {
          codec = .hevc(lengthBytes: length, highestSubLayer: found)
        }
      }
    case "vp8": codec = .vp8
    case "vp9": codec = .vp9
    case "av1":
      // AV1CodecConfigurationRecord: four bytes, then OBUs.
      codec = configuration.withUnsafeBytes { bytes in
        let obus = isRecord || configuration.first == 0x81 ? bytes.dropFirst(4) : bytes[...]
        return .av1(AV1SequenceHeader.find(in: .init(rebasing: obus)))
      }
    default: codec = .other
    }
  }

  /// Whether packets of this stream can be told apart at all.
  var understandsCodec: Bool {
    if case .other = codec { return false }
    return true
  }

  /// Looks at one packet, in decode order (parameter sets on the way are remembered). Complexity: proportional to the
  /// number of units in the packet for length-prefixed streams, to its bytes for Annex B.
  mutating func classify(_ packet: UnsafeRawBufferPointer) -> PictureDependency {
    switch codec {
    case .h264(let lengthBytes): return Self.h264(packet, lengthBytes)
    case .hevc(let lengthBytes, var highest):
      if lengthBytes == nil, let found = Self.hevcHighestSubLayer(packet) {
        highest = found
        codec = .hevc(lengthBytes: lengthBytes, highestSubLayer: found)
      }
      return Self.hevc(packet, lengthBytes, highest)
    // RFC 6386, 9.1: the fourth bit of the frame tag is show_frame.
    case .vp8: return PictureDependency(isDisposable: false, isShown: packet.first.map { $0 & 16 != 0 } ?? true)
    case .vp9: return VP9FrameHeader.dependency(of: packet)
    case .av1(var header):
      let result = AV1FrameHeader.dependency(of: packet, &header)
      codec = .av1(header)
      return result
    case .other: return .needed
    }
  }

  /// H.264: nal_ref_idc of every slice is zero (ITU-T H.264, 7.4.1) and no parameter set travels along.
  private static func h264(_ packet: UnsafeRawBufferPointer, _ lengthBytes: Int?) -> PictureDependency {
    var slices = 0
    for unit in NALUnits(packet, lengthBytes: lengthBytes) {
      guard let header = unit.first else { continue }
      switch header & 31 {
      case 1...5:
        if header >> 5 & 3 != 0 { return .needed }
        slices += 1
      case 7, 8, 13, 15: return .needed
      default: break
      }
    }
    return PictureDependency(isDisposable: slices > 0)
  }

  /// HEVC: a sub-layer non-reference picture of the highest sub-layer (ITU-T H.265, table 7-1). One of a lower sub-layer may
  /// still be referred to from above it.
  private static func hevc(_ packet: UnsafeRawBufferPointer, _ lengthBytes: Int?, _ highest: Int?) -> PictureDependency {
    var slices = 0
    for unit in NALUnits(packet, lengthBytes: lengthBytes) {
      guard unit.count >= 2 else { continue }
      let type = Int(unit[0] >> 1 & 63)
      switch type {
      case 0...15:
        guard type % 2 == 0, let highest, Int(unit[1] & 7) - 1 == highest else { return .needed }
        slices += 1
      case 16...34: return .needed
      default: break
      }
    }
    return PictureDependency(isDisposable: slices > 0)
  }

  /// sps_max_sub_layers_minus1 of the first sequence parameter set in Annex B form.
  private static func hevcHighestSubLayer(_ bytes: UnsafeRawBufferPointer) -> Int? {
    for unit in NALUnits(bytes, lengthBytes: nil) where unit.count >= 3 && unit[0] >> 1 & 63 == 33 {
      return Int(unit[2] >> 1 & 7)
    }
    return nil
  }
}
