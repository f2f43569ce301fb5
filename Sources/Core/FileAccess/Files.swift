public import MediaCore

/// What a task reads from and writes to, by logical name.
///
/// A task never sees a path: whoever runs it supplies the files. `LocalFiles` opens paths in this process; in a
/// sandboxed worker the same protocol is answered over a socket with passed descriptors; a job adds fetched URLs.
/// Calls may come from any thread.
public protocol Files: AnyObject, Sendable {
  /// Opens the input called `name` for positioned reads. Only regular files: anything else throws.
  func openInput(_ name: String) throws(MediaError) -> InputFile

  /// A new, empty, invisible file that becomes the output called `name` when the task has succeeded and its
  /// owner publishes it. Throws `exists` at once when the final path is taken and may not be replaced.
  func createOutput(_ name: String) throws(MediaError) -> OutputFile

  /// Says that all of the output called `name` is written. Whoever owns the files may publish it now instead of at the end
  /// of the task, so that a task with thousands of outputs does not keep all of them open.
  func completeOutput(_ name: String) throws(MediaError)

  /// A file for intermediate data, gone when the descriptor closes.
  func createScratch() throws(MediaError) -> Descriptor
}

extension Files {
  public func completeOutput(_ name: String) throws(MediaError) {}
}

/// An opened input: a regular file at a moment.
public struct InputFile: Sendable {
  public let descriptor: Descriptor
  /// The name that messages use: the path as the user wrote it.
  public let displayName: String
  /// Size and identity when it was opened; compared again at the end to notice a file that changes during the run.
  public let snapshot: FileSnapshot

  public init(descriptor: Descriptor, displayName: String, snapshot: FileSnapshot) {
    self.descriptor = descriptor
    self.displayName = displayName
    self.snapshot = snapshot
  }
}

/// A file being written: open for reading and writing, not yet visible under its name.
public struct OutputFile: Sendable {
  public let descriptor: Descriptor
  /// The name that messages use: the final path as the user wrote it.
  public let displayName: String

  public init(descriptor: Descriptor, displayName: String) {
    self.descriptor = descriptor
    self.displayName = displayName
  }
}
