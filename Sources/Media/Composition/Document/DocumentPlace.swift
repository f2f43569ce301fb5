public import MediaCore
public import PositionedJSON

/// Where a part of a reel document stands, kept so that what is found out later (a clip shorter than its transition, a
/// missing file) is reported at the line that asked for it.
public struct DocumentPlace: Sendable {
  public let position: JSONPosition
  public let path: JSONPath
  public let source: JSONSource

  public init(position: JSONPosition, path: JSONPath, source: JSONSource) {
    self.position = position
    self.path = path
    self.source = source
  }

  init(_ node: JSONNode) { self.init(position: node.position, path: node.path, source: node.source) }

  /// A place for values built in code: no document, line 1.
  public static let none = DocumentPlace(position: JSONPosition(line: 1, column: 1), path: .root, source: JSONSource("(built in code)"))

  /// `cannot read ad.reel.json: line 3, column 7 (sequence[2]): reason`, status 64.
  public func error(_ reason: String, advice: String? = nil) -> MediaError {
    source.error(at: position, path: path, reason, advice: advice)
  }
}

/// A file that a document names.
public struct MediaReference: Sendable {
  /// As written: relative to the document's folder unless absolute or a URL. Also the logical name under which a task asks for it.
  public var name: String
  public var place: DocumentPlace

  public init(_ name: String, place: DocumentPlace = .none) {
    self.name = name
    self.place = place
  }

  /// The path to open, for a document in `folder` ("" for the current folder).
  public func path(relativeTo folder: String) -> String {
    if name.hasPrefix("/") || name.contains("://") || folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
