import FileAccess

/// The header of a box of an ISO base media file (ISO/IEC 14496-12, 4.2).
struct BoxHeader {
  var type: String
  /// Bytes of the whole box, header included, as it states them; nil when it reaches to the end of what holds it.
  var size: Int64?
  /// Bytes of the header: 8, or 16 with a size of 64 bits.
  var byteCount: Int64

  /// Reads the header at `offset`; nil when it is not there, or states less than itself.
  init?(at offset: Int64, in file: Descriptor) {
    let bytes = file.bytes(at: offset, count: 16)
    guard bytes.count >= 8 else { return nil }
    type = String(decoding: bytes[4..<8], as: UTF8.self)
    let short = BoxHeader.number(bytes[0..<4])
    guard short != 1 || bytes.count == 16 else { return nil }
    byteCount = short == 1 ? 16 : 8
    size = short == 0 ? nil : short == 1 ? BoxHeader.number(bytes[8..<16]) : short
    if let size, size < byteCount { return nil }
  }

  /// A big-endian number; what does not fit is the largest.
  static func number(_ bytes: some Sequence<UInt8>) -> Int64 { Int64(clamping: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
}
