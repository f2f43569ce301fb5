internal import CPostgreSQL

/// The column types in use, by their fixed object identifiers (PostgreSQL, `pg_type.dat`).
enum PostgreSQLType {
  case boolean, bytes, integer8, integer2, integer4, text, real4, real8

  init?(_ identifier: Oid) {
    switch identifier {
    case 16: self = .boolean
    case 17: self = .bytes
    case 20: self = .integer8
    case 21: self = .integer2
    case 23, 26: self = .integer4
    // void reads as an empty text; name, text, unknown, bpchar, varchar.
    case 19, 25, 705, 1042, 1043, 2278: self = .text
    case 700: self = .real4
    case 701: self = .real8
    default: return nil
    }
  }

  /// A value in the binary format: big-endian numbers, plain bytes.
  func value(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
    switch self {
    case .boolean: .integer(bytes.first == 1 ? 1 : 0)
    case .bytes: .blob([UInt8](bytes))
    case .integer8: .integer(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
    case .integer4: .integer(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
    case .integer2: .integer(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
    case .text: .text(String(decoding: bytes, as: UTF8.self))
    case .real4: .real(Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))))
    case .real8: .real(Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))))
    }
  }
}

/// Parameters in the binary format.
struct PostgreSQLParameters {
  let types: [Oid]
  private let encoded: [[UInt8]?]

  init(_ values: [SQLValue]) {
    types = values.map { value in
      switch value {
      case .null: 0
      case .integer: 20
      case .real: 701
      case .text: 25
      case .blob: 17
      }
    }
    encoded = values.map { value in
      switch value {
      case .null: nil
      case .integer(let value): withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
      case .real(let value): withUnsafeBytes(of: value.bitPattern.bigEndian) { [UInt8]($0) }
      case .text(let value): [UInt8](value.utf8)
      case .blob(let value): value
      }
    }
  }

  /// One letter for each parameter's type.
  var signature: String { String(types.map { $0 == 0 ? "n" : $0 == 20 ? "i" : $0 == 701 ? "r" : $0 == 25 ? "t" : "b" }) }

  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
  ) -> Result {
    // One buffer holds all values; an empty one still needs an address, nil means NULL.
    let lengths = encoded.map { Int32($0?.count ?? 0) }
    let formats = [Int32](repeating: 1, count: encoded.count)
    let joined = encoded.reduce(into: [UInt8]()) { $0 += $1 ?? [] } + [0]
    return joined.withUnsafeBytes { buffer in
      let base = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
      var offset = 0
      let pointers = encoded.map { value -> UnsafePointer<CChar>? in
        guard let value else { return nil }
        defer { offset += value.count }
        return base + offset
      }
      return body(pointers, lengths, formats)
    }
  }
}
