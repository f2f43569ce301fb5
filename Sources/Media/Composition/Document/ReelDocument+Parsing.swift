public import MediaCore
public import PositionedJSON

extension ReelDocument {
  /// What a document is read with.
  public struct Options: Sendable {
    /// Values of variables by name, as text (`--set NAME=VALUE`). A name that is not declared is an error.
    public var values: [String: String] = [:]
    /// Values that may go unused: the columns of a row.
    public var rowValues: [String: String] = [:]
    /// Overrides `output.preset`, which decides the canvas of a document that gives none.
    public var preset: String?

    public init(values: [String: String] = [:], rowValues: [String: String] = [:], preset: String? = nil) {
      self.values = values
      self.rowValues = rowValues
      self.preset = preset
    }
  }

  /// Reads a document. Throws `usage` whose reason begins with line, column and path; further errors of the same
  /// document are in `details`.
  public init(parsing bytes: [UInt8], source: JSONSource, options: Options = Options()) throws(MediaError) {
    let root = try JSONParser.parse(bytes, source: source)
    self = try DocumentReader.read(root, options: options)
  }

  /// Only the variables of a document, without their values: what a template asks for.
  public static func variables(parsing bytes: [UInt8], source: JSONSource) throws(MediaError) -> [VariableDeclaration] {
    let root = try JSONParser.parse(bytes, source: source)
    return try DocumentReader.declarations(in: root)
  }
}
