public import MediaCore

/// Which document is being read: the name that messages use, and what they say failed.
public struct JSONSource: Hashable, Sendable {
  /// The file as the user wrote it.
  public var name: String
  /// What failed when something is wrong in it. Default `cannot read NAME`.
  public var operation: String
  /// The line of the file on which the text begins; for rows of a JSON Lines file. Default 1.
  public var firstLine: Int

  public init(_ name: String, operation: String? = nil, firstLine: Int = 1) {
    self.name = name
    self.operation = operation ?? "cannot read \(name)"
    self.firstLine = firstLine
  }

  /// An error of the document: `line 3, column 7 (sequence[2].trim): reason`, status 64.
  public func error(at position: JSONPosition, path: JSONPath, _ reason: String, advice: String? = nil) -> MediaError {
    MediaError(.usage, operation, path: name, reason: "\(position) (\(path)): \(reason)", advice: advice)
  }
}
