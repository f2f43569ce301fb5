public import FileAccess
public import MediaCore
import Synchronization

/// The files of one attempt, by logical name. Outputs stay invisible until the runner publishes them.
public final class JobFiles: Files {
  private let spec: JobSpec
  private let tag: String
  private let pending = Mutex<[String: PendingFile]>([:])
  private let inputs: Mutex<LocalFiles>
  private let localPaths: [String: String]
  private let remote: [String: String]

  /// - Parameters:
  ///   - inputPaths: inputs that lie on this machine.
  ///   - remote: inputs that must be fetched, by URL.
  init(spec: JobSpec, inputPaths: [String: String], remote: [String: String], claim: JobClaim) {
    self.spec = spec
    self.remote = remote
    localPaths = inputPaths
    tag = "\(claim.job)-\(claim.token)"
    inputs = Mutex(LocalFiles(inputs: inputPaths))
  }

  /// Fetches the inputs that are not of this machine.
  func fetch(_ fetch: ((String, Cancellation) throws -> String)?, _ cancellation: Cancellation) throws {
    guard !remote.isEmpty else { return }
    guard let fetch else {
      throw JobsError(.failed, "cannot fetch the inputs", reason: "this worker does not fetch", advice: "give the inputs as local paths")
    }
    var paths = localPaths
    for (name, url) in remote { paths[name] = try fetch(url, cancellation) }
    let fetched = LocalFiles(inputs: paths)
    inputs.withLock { $0 = fetched }
  }

  public func openInput(_ name: String) throws(MediaError) -> InputFile {
    let files = inputs.withLock { $0 }
    return try files.openInput(name)
  }

  public func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    guard let path = spec.outputs[name] else {
      throw MediaError(.bug, "cannot create output \(name)", reason: "the job declares no output of that name")
    }
    do throws(JobsError) {
      let file = try PendingFile(path: path, tag: tag, mode: 0o666)
      pending.withLock { $0[name] = file }
      return OutputFile(descriptor: file.descriptor, displayName: path)
    } catch {
      throw MediaError(error.code == .io ? .io : .exists, error.operation, path: path, reason: error.reason, advice: error.advice)
    }
  }

  public func createScratch() throws(MediaError) -> Descriptor { try LocalFiles(inputs: [:]).createScratch() }

  /// The outputs that were created, by name.
  func takePending() -> [(name: String, file: PendingFile)] {
    pending.withLock { files in
      defer { files.removeAll() }
      return files.sorted { $0.key < $1.key }.map { (name: $0.key, file: $0.value) }
    }
  }
}
