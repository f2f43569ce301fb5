import Testing

/// A situation that the tool must refuse.
struct ErrorCase: Sendable, CustomTestStringConvertible {
  let what: String
  let status: Int32
  /// A part of the error line.
  let says: String
  /// Makes the situation; returns the arguments.
  let make: @Sendable (Scratch) throws -> [String]
  var testDescription: String { what }
}
