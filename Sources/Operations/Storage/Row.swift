/// One row of a query's result, copied out of the database. Columns are numbered from 0 in the order of the SELECT list.
public struct Row: Hashable, Sendable {
  public let values: [SQLValue]

  public init(_ values: [SQLValue]) { self.values = values }

  public subscript(column: Int) -> SQLValue { values[column] }

  /// The integer in `column`; nil when it is NULL or of another type.
  public func integer(_ column: Int) -> Int64? {
    if case .integer(let value) = values[column] { value } else { nil }
  }

  /// The number in `column`, integers converted; nil when it is NULL or not a number.
  public func real(_ column: Int) -> Double? {
    switch values[column] {
    case .real(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// The text in `column`; nil when it is NULL or of another type.
  public func text(_ column: Int) -> String? {
    if case .text(let value) = values[column] { value } else { nil }
  }

  /// The bytes in `column`; nil when it is NULL or of another type.
  public func blob(_ column: Int) -> [UInt8]? {
    if case .blob(let value) = values[column] { value } else { nil }
  }

  /// Whether `column` holds an integer other than 0.
  public func boolean(_ column: Int) -> Bool { (integer(column) ?? 0) != 0 }
}
