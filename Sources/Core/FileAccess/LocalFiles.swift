import Glibc
public import MediaCore
import Synchronization

/// Inputs and outputs by paths of this machine; publishes outputs whole or not at all.
///
/// Input names map to paths; each file is opened once and checked to be a regular file. Outputs are invisible until
/// `publish`. Safe to use from any thread.
public final class LocalFiles: Files {
  private struct State {
    var inputs: [String: InputFile] = [:]
    var outputs: [String: PendingOutput] = [:]
    var waiting: [String: WaitingOutput] = [:]
    /// By folder, each as long as an output waits in it.
    var rooms: [String: WaitingRoom] = [:]
  }

  /// Outputs of folders beyond these wait without a descriptor.
  private static let mostOpen = 32

  private let inputPaths: [String: String]
  private let outputPaths: [String: String]
  private let outputFolders: [String: String]
  private let mayReplace: Bool
  private let state = Mutex(State())

  /// - Parameters:
  ///   - inputs: paths by logical name.
  ///   - outputs: final paths by logical name.
  ///   - folders: folders by logical name, for tasks whose outputs are not known before: output `NAME/FILE` becomes FILE in
  ///     the folder called NAME, and appears as soon as the task has completed it.
  ///   - mayReplace: whether an output that exists may be replaced (`--overwrite`). Symbolic links never are.
  public init(
    inputs: [String: String], outputs: [String: String] = [:], folders: [String: String] = [:], mayReplace: Bool = false
  ) {
    inputPaths = inputs
    outputPaths = outputs
    outputFolders = folders
    self.mayReplace = mayReplace
  }

  public func openInput(_ name: String) throws(MediaError) -> InputFile {
    if let known = state.withLock({ $0.inputs[name] }) { return known }
    guard let path = inputPaths[name] else {
      throw MediaError(.bug, "cannot open input \(name)", reason: "the task declares no input of that name")
    }
    let input = try LocalFiles.openInput(path: path)
    state.withLock { $0.inputs[name] = input }
    return input
  }

  /// Opens a regular file for positioned reads.
  ///
  /// - Throws: `retryLater` when no more files may be open, `missing` when it does not exist or may not be read, `usage` for a folder, `damaged` for a pipe or device.
  public static func openInput(path: String) throws(MediaError) -> InputFile {
    let operation = "cannot read \(path)"
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else {
      let error = errno
      if error == EMFILE || error == ENFILE {
        throw MediaError(.retryLater, operation, path: path, reason: String(cString: strerror(error)), advice: MediaError.openFilesAdvice)
      }
      // The command line and folders are read as UTF-8; what is not becomes U+FFFD.
      let isGarbled = error == ENOENT && path.contains("\u{FFFD}")
      let advice =
        isGarbled
        ? "names must be UTF-8; rename the file" : error == ENOENT ? "check the path" : error == EACCES ? "check its permissions" : nil
      throw MediaError(
        error == EACCES ? .refused : .missing, operation, path: path, reason: String(cString: strerror(error)), advice: advice)
    }
    let descriptor = Descriptor(owning: number)
    guard let snapshot = FileSnapshot(of: number) else {
      throw MediaError(.io, operation, path: path, reason: String(cString: strerror(errno)))
    }
    if snapshot.isDirectory {
      throw MediaError(.missing, operation, path: path, reason: "it is a folder", advice: "name a file in it")
    }
    guard snapshot.isRegular else {
      throw MediaError(
        .missing, operation, path: path, reason: "it is a pipe or device, not a regular file", advice: "copy it to a file first")
    }
    return InputFile(descriptor: descriptor, displayName: path, snapshot: snapshot)
  }

  public func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    guard let path = outputPaths[name] ?? pathInFolder(name) else {
      throw MediaError(.bug, "cannot create output \(name)", reason: "the task declares no output of that name")
    }
    if outputPaths[name] == nil, state.withLock({ $0.outputs.count }) >= LocalFiles.mostOpen { return try createWaiting(name, path) }
    let pending = try PendingOutput(path: path, mayReplace: mayReplace)
    state.withLock { $0.outputs[name] = pending }
    return OutputFile(descriptor: pending.descriptor, displayName: path)
  }

  /// An output that is one of many: open for who writes it alone.
  private func createWaiting(_ name: String, _ path: String) throws(MediaError) -> OutputFile {
    try PendingOutput.check(path: path, mayReplace: mayReplace)
    PendingOutput.sweepSidecar(path)
    let folder = PendingOutput.split(path).folder
    let room: WaitingRoom
    if let known = state.withLock({ $0.rooms[folder] }) {
      room = known
    } else {
      room = try WaitingRoom(folder: folder)
      state.withLock { $0.rooms[folder] = room }
    }
    let file = try room.admit("cannot create \(path)", path)
    state.withLock { $0.waiting[name] = WaitingOutput(file.number, in: room, path: path, mayReplace: mayReplace) }
    return OutputFile(descriptor: file.descriptor, displayName: path)
  }

  /// The path of `NAME/FILE` in a declared folder; nil when FILE is not a plain file name.
  private func pathInFolder(_ name: String) -> String? {
    guard let slash = name.firstIndex(of: "/"), let folder = outputFolders[String(name[..<slash])] else { return nil }
    let file = name[name.index(after: slash)...]
    guard !file.isEmpty, file != ".", file != "..", !file.contains("/"), !file.utf8.contains(0) else { return nil }
    return folder.hasSuffix("/") ? folder + file : folder + "/" + file
  }

  public func completeOutput(_ name: String) throws(MediaError) {
    if outputPaths[name] == nil { try publish(name, sidecar: nil) }
  }

  public func createScratch() throws(MediaError) -> Descriptor { try PendingOutput.scratch() }

  /// Every input that has been opened, by name.
  public var openedInputs: [String: InputFile] { state.withLock { $0.inputs } }

  /// Names of outputs that were created and not yet published.
  public var pendingOutputs: [String] { state.withLock { (Array($0.outputs.keys) + Array($0.waiting.keys)).sorted() } }

  /// The bytes of a pending output, for its hash.
  public func pendingDescriptor(_ name: String) -> Descriptor? {
    state.withLock { $0.outputs[name]?.descriptor ?? $0.waiting[name]?.descriptor }
  }

  /// Checks that `name` could be published now, before any work is done for it.
  public func checkOutput(_ name: String) throws(MediaError) {
    guard let path = outputPaths[name] else { return }
    try PendingOutput.check(path: path, mayReplace: mayReplace)
  }

  /// Makes output `name` appear at its final path, its sidecar first.
  ///
  /// - Parameter sidecar: the text of its sidecar (`OutputNames.sidecar`); nil for none.
  /// - Throws: `exists` when another file has taken the path meanwhile; nothing is left behind then.
  public func publish(_ name: String, sidecar: String?) throws(MediaError) {
    let waiting = state.withLock { state in
      defer { if state.waiting.isEmpty { state.rooms.removeAll() } }
      return state.waiting.removeValue(forKey: name)
    }
    if let waiting { return try waiting.publish(sidecar: sidecar) }
    guard let pending = state.withLock({ $0.outputs.removeValue(forKey: name) }) else {
      throw MediaError(.bug, "cannot publish output \(name)", reason: "it was not created")
    }
    try pending.publish(sidecar: sidecar)
  }

  /// Gives up every output that has not been published; nothing of it remains.
  public func discardAll() {
    state.withLock {
      $0.outputs.removeAll()
      $0.waiting.removeAll()
      $0.rooms.removeAll()
    }
  }
}
