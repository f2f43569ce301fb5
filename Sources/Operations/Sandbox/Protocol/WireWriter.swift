/// Appends values in the form that `WireReader` reads: little-endian numbers, counted bytes.
struct WireWriter {
  var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func write(_ value: UInt8) { bytes.append(value) }

  mutating func write(_ value: UInt32) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  mutating func write(_ value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  mutating func write(_ value: Int64) { write(UInt64(bitPattern: value)) }

  mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

  mutating func write(_ value: Double) { write(value.bitPattern) }

  mutating func write(counted value: [UInt8]) {
    write(UInt32(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func write(_ value: String) { write(counted: Array(value.utf8)) }

  /// At most `maximum` bytes of `value`, cut at a character.
  mutating func write(_ value: String, maximum: Int) {
    guard value.utf8.count > maximum else { return write(value) }
    var end = value.utf8.index(value.startIndex, offsetBy: maximum)
    while end > value.startIndex, Unicode.UTF8.isContinuation(value.utf8[end]) { end = value.utf8.index(before: end) }
    write(String(value[..<end]))
  }

  mutating func write(_ value: String?, maximum: Int) {
    write(value != nil)
    if let value { write(value, maximum: maximum) }
  }
}
