/// Reads what `WireWriter` wrote, and trusts none of it: every length is checked against what is there.
struct WireReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remainingByteCount: Int { bytes.count - position }

  mutating func readByte() throws(ProtocolViolation) -> UInt8 {
    guard position < bytes.count else { throw ProtocolViolation("a message ends too early") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func readUInt32() throws(ProtocolViolation) -> UInt32 {
    var value: UInt32 = 0
    for shift in stride(from: UInt32(0), to: 32, by: 8) { value |= UInt32(try readByte()) << shift }
    return value
  }

  mutating func readUInt64() throws(ProtocolViolation) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(try readByte()) << shift }
    return value
  }

  mutating func readInt64() throws(ProtocolViolation) -> Int64 { Int64(bitPattern: try readUInt64()) }

  mutating func readBool() throws(ProtocolViolation) -> Bool {
    switch try readByte() {
    case 0: return false
    case 1: return true
    default: throw ProtocolViolation("a flag that is neither 0 nor 1")
    }
  }

  /// A finite number: a peer's infinity or NaN would travel into sums and JSON.
  mutating func readDouble() throws(ProtocolViolation) -> Double {
    let value = Double(bitPattern: try readUInt64())
    guard value.isFinite else { throw ProtocolViolation("a number that is not finite") }
    return value
  }

  mutating func readCounted() throws(ProtocolViolation) -> [UInt8] {
    let count = Int(try readUInt32())
    guard count <= remainingByteCount else { throw ProtocolViolation("a field of \(count) bytes in a shorter message") }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }

  mutating func readString() throws(ProtocolViolation) -> String {
    guard let text = String(validating: try readCounted(), as: UTF8.self) else { throw ProtocolViolation("text that is not UTF-8") }
    return text
  }

  mutating func readOptionalString() throws(ProtocolViolation) -> String? { try readBool() ? try readString() : nil }

  /// What is left, to the end of the message.
  mutating func readRest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[position...])
  }

  /// To be called last: a message has nothing after its fields.
  func finish() throws(ProtocolViolation) {
    guard remainingByteCount == 0 else { throw ProtocolViolation("\(remainingByteCount) bytes after the end of a message") }
  }
}
