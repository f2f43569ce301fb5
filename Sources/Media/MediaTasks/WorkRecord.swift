/// What a piece of work is recorded under: a project, and labels of the caller's own.
public struct WorkRecord: Encodable, Hashable, Sendable {
  public var project: String?
  /// Nil when there are none.
  public var labels: [String: String]?

  public init(project: String? = nil, labels: [String: String] = [:]) {
    self.project = project
    self.labels = labels.isEmpty ? nil : labels
  }

  public var isEmpty: Bool { project == nil && labels == nil }
}
