/// A value in a statement or a row. Both databases store these five and nothing else, so that one SQL text serves both.
public enum SQLValue: Hashable, Sendable {
  case null
  /// SQLite `INTEGER`, PostgreSQL `BIGINT`.
  case integer(Int64)
  /// SQLite `REAL`, PostgreSQL `DOUBLE PRECISION`.
  case real(Double)
  /// `TEXT` in UTF-8. PostgreSQL refuses U+0000.
  case text(String)
  /// SQLite `BLOB`, PostgreSQL `BYTEA`.
  case blob([UInt8])

  /// NULL where `value` is nil.
  public static func integer(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }
  /// NULL where `value` is nil.
  public static func real(_ value: Double?) -> SQLValue { value.map { .real($0) } ?? .null }
  /// NULL where `value` is nil.
  public static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
  /// NULL where `value` is nil.
  public static func blob(_ value: [UInt8]?) -> SQLValue { value.map { .blob($0) } ?? .null }
  /// 1 or 0.
  public static func boolean(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }
  public static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
}

extension SQLValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral {
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .text(value) }
  public init(floatLiteral value: Double) { self = .real(value) }
  public init(nilLiteral: ()) { self = .null }
}
