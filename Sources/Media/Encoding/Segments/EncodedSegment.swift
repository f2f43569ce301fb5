import Crypto
public import FFmpegBridge
public import MediaCore

/// Packets of one encoder from its first to its last, by themselves: what a segment cache holds.
///
/// Times are in the encoder's unit and count from the segment's start. Packets of pictures are in decoding order.
public struct EncodedSegment: Sendable {
  /// The encoder's parameter sets; packets of encoders with others do not fit into one stream.
  public var configuration: [UInt8]
  public var packets: [Packet] = []

  public init(configuration: [UInt8]) { self.configuration = configuration }

  public var byteCount: Int { packets.reduce(configuration.count) { $0 + $1.byteCount } }

  // The stored form, all numbers little-endian: mark, key (64 bytes), configuration, unit, packets with their times, flags and bytes, and
  // the SHA-256 of all of it.
  private static let mark = Array("reelwright segment 1\n".utf8)

  /// The stored form, for the entry of `key`.
  public func stored(key: String, timeBase: Rational) -> [UInt8] {
    var bytes = EncodedSegment.mark + Array(key.utf8)
    bytes.reserveCapacity(byteCount + packets.count * 40 + 256)
    func put(_ value: Int64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    func put(_ data: [UInt8]) {
      put(Int64(data.count))
      bytes.append(contentsOf: data)
    }
    put(timeBase.numerator)
    put(timeBase.denominator)
    put(configuration)
    put(Int64(packets.count))
    for packet in packets {
      put(packet.presentationTicks ?? .min)
      put(packet.durationTicks)
      put(packet.isKeyframe ? 1 : 0)
      put(packet.skippedSamples)
      put(Int64(packet.byteCount))
      packet.withBytes { span in span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) } }
    }
    return bytes + SHA256.digest(of: bytes).bytes
  }

  /// Reads the stored form; nil when it is damaged or of another key.
  public init?(stored bytes: [UInt8], key: String) {
    let header = EncodedSegment.mark.count + 64
    let end = bytes.count - SHA256Digest.byteCount
    guard end > header, Array(bytes[..<header]) == EncodedSegment.mark + Array(key.utf8),
      SHA256.digest(of: Array(bytes[..<end])).bytes == Array(bytes[end...])
    else { return nil }
    var position = header
    func number() -> Int64? {
      guard position + 8 <= end else { return nil }
      defer { position += 8 }
      return bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Int64.self)) }
    }
    func data() -> Range<Int>? {
      guard let count = number(), count >= 0, Int64(end - position) >= count else { return nil }
      defer { position += Int(count) }
      return position..<position + Int(count)
    }
    guard let numerator = number(), let denominator = number(), numerator > 0, denominator > 0, let configuration = data(),
      let count = number(), count >= 0
    else { return nil }
    self.configuration = Array(bytes[configuration])
    let unit = Rational(numerator, denominator)
    for _ in 0..<count {
      guard let presentation = number(), let duration = number(), let flags = number(), let skipped = data(), let payload = data()
      else { return nil }
      let packet = Packet(bytes.span.extracting(payload), isKeyframe: flags & 1 != 0, timeBase: unit)
      packet.presentationTicks = presentation == .min ? nil : presentation
      packet.decodeTicks = packet.presentationTicks
      packet.durationTicks = duration
      packet.skippedSamples = Array(bytes[skipped])
      packets.append(packet)
    }
    guard position == end else { return nil }
  }
}
