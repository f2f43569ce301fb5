/// A place in a text: line and column as an editor shows them, both from 1.
///
/// A column counts Unicode scalars; a tab is one. CR, LF and CR LF each end a line.
public struct JSONPosition: Hashable, Sendable {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

extension JSONPosition: CustomStringConvertible {
  /// `"line 3, column 7"`.
  public var description: String { "line \(line), column \(column)" }
}
