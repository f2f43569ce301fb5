public import FileAccess
import Glibc
public import MediaCore
import Synchronization

/// The files of one attempt, by logical name. Outputs stay invisible until the runner publishes them.
public final class JobFiles: Files {
  private let spec: JobSpec
  private let job: JobID
  private let scratch: Scratch
  private let tag: String
  /// A number for each output: names may hold what paths may not.
  private let ranks: [String: Int]
  private let pending = Mutex<[String: PendingFile]>([:])
  private let inputs: LocalFiles
  private let fetched = Mutex<[String: InputFile]>([:])

  init(spec: JobSpec, claim: JobClaim, scratch: Scratch) {
    self.spec = spec
    self.scratch = scratch
    job = claim.job
    ranks = Dictionary(uniqueKeysWithValues: zip(spec.outputs.keys.sorted(), 0...))
    tag = "\(claim.job)-\(claim.token)"
    inputs = LocalFiles(inputs: spec.inputs.filter { !RemoteFiles.isRemote($0.value) })
  }

  /// Fetches the inputs that are not of this machine.
  func fetch(_ remote: RemoteFiles?, _ cancellation: Cancellation) throws {
    guard (Array(spec.inputs.values) + spec.outputs.values).contains(where: RemoteFiles.isRemote) else { return }
    guard let remote else {
      throw JobsError(.failed, "cannot fetch the inputs", reason: "this worker does not fetch", advice: "give the files as local paths")
    }
    for (name, location) in spec.inputs where RemoteFiles.isRemote(location) {
      let file = try remote.fetch(location, cancellation: cancellation)
      fetched.withLock { $0[name] = file }
    }
  }

  public func openInput(_ name: String) throws(MediaError) -> InputFile {
    if let file = fetched.withLock({ $0[name] }) { return file }
    return try inputs.openInput(name)
  }

  public func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    guard let path = spec.outputs[name] else {
      throw MediaError(.bug, "cannot create output \(name)", reason: "the job declares no output of that name")
    }
    do throws(JobsError) {
      // One that is sent elsewhere is written into the job's scratch folder.
      let isRemote = RemoteFiles.isRemote(path)
      let place = isRemote ? "\(try scratch.folder(job))/output-\(ranks[name] ?? 0)" : path
      let file = try PendingFile(path: place, tag: tag, mode: isRemote ? 0o600 : 0o666)
      pending.withLock { $0[name] = file }
      return OutputFile(descriptor: file.descriptor, displayName: RemoteFiles.display(path))
    } catch {
      throw MediaError(error.code == .io ? .io : .exists, error.operation, path: path, reason: error.reason, advice: error.advice)
    }
  }

  public func createScratch() throws(MediaError) -> Descriptor { try LocalFiles(inputs: [:]).createScratch() }

  /// The outputs that were created so far, each opened anew for reading: for whoever looks at them before they are
  /// published. In the order of their names.
  public func writtenOutputs() throws(MediaError) -> [(name: String, file: InputFile)] {
    var outputs: [(name: String, file: InputFile)] = []
    for (name, file) in pending.withLock({ $0.sorted { $0.key < $1.key } }) {
      let shown = RemoteFiles.display(spec.outputs[name] ?? name)
      // Not a duplicate: the reader can neither write nor move the writer's position.
      let number = open("/proc/self/fd/\(file.descriptor.rawValue)", O_RDONLY | O_CLOEXEC)
      guard number >= 0, let snapshot = FileSnapshot(of: number) else {
        throw MediaError(.io, "cannot read \(shown)", reason: String(cString: strerror(errno)))
      }
      outputs.append((name, InputFile(descriptor: Descriptor(owning: number), displayName: shown, snapshot: snapshot)))
    }
    return outputs
  }

  /// The outputs that were created, by name.
  func takePending() -> [(name: String, file: PendingFile)] {
    pending.withLock { files in
      defer { files.removeAll() }
      return files.sorted { $0.key < $1.key }.map { (name: $0.key, file: $0.value) }
    }
  }
}
