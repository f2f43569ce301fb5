internal import CSQLite

/// A prepared statement. Finalised with its last reference.
final class SQLiteStatement {
  let handle: OpaquePointer
  /// For each of SQLite's parameters the number n of its name `$n`.
  private let parameters: [Int]

  init(_ handle: OpaquePointer) {
    self.handle = handle
    // SQLite takes `$1` for a name and numbers names by first appearance; PostgreSQL takes it for a number.
    parameters = (0..<sqlite3_bind_parameter_count(handle)).map { index in
      sqlite3_bind_parameter_name(handle, index + 1).flatMap { Int(String(cString: $0).dropFirst()) } ?? 0
    }
  }

  deinit { sqlite3_finalize(handle) }

  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  /// Binds all values; false when a parameter has no value, a value no parameter, or memory is out.
  func bind(_ values: [SQLValue]) -> Bool {
    guard (parameters.max() ?? 0) == values.count else { return false }
    for (index, number) in parameters.enumerated() {
      guard number >= 1, bind(values[number - 1], at: Int32(index + 1)) == SQLITE_OK else { return false }
    }
    return true
  }

  private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
    // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    switch value {
    case .null: return sqlite3_bind_null(handle, index)
    case .integer(let value): return sqlite3_bind_int64(handle, index, value)
    case .real(let value): return sqlite3_bind_double(handle, index, value)
    case .text(var value):
      return value.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          sqlite3_bind_text64(handle, index, $0.baseAddress, UInt64($0.count), transient, UInt8(SQLITE_UTF8))
        }
      }
    case .blob(let value):
      // A nil address would bind NULL, not an empty blob.
      if value.isEmpty { return sqlite3_bind_zeroblob(handle, index, 0) }
      return value.withUnsafeBytes { sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), transient) }
    }
  }

  /// The current row, copied.
  func row() -> Row {
    Row((0..<sqlite3_column_count(handle)).map(value))
  }

  private func value(_ column: Int32) -> SQLValue {
    switch sqlite3_column_type(handle, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, column))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, column))
    case SQLITE_TEXT:
      let text = sqlite3_column_text(handle, column)
      let count = Int(sqlite3_column_bytes(handle, column))
      return .text(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
    case SQLITE_BLOB:
      let bytes = sqlite3_column_blob(handle, column)
      let count = Int(sqlite3_column_bytes(handle, column))
      return .blob([UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
    default: return .null
    }
  }
}
