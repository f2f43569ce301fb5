import Crypto
import FileAccess
import Glibc
import MediaCore

/// Makes the outputs of an attempt appear, exactly once whatever dies when: flush, record, link without replacement,
/// flush the folder, commit. An output that goes to a URL
/// is sent before any other appears; sending it twice is sending the same. An attempt that finds its job's own output there adopts it.
struct Publication {
  let store: JobStore
  let claim: JobClaim
  let spec: JobSpec
  let remote: RemoteFiles?
  let cancellation: Cancellation
  let phase: (RunnerPhase) -> Void

  /// Publishes and completes.
  /// - Throws: `outputExists`, `fenced`, `io`; nothing new is visible then, unless a take-over has put it there.
  func run(_ files: [(name: String, file: PendingFile)], _ answer: JobAnswer) throws {
    phase(.fsync)
    var outputs: [(output: JobOutput, file: PendingFile)] = []
    // Of a URL only what may be shown is recorded.
    let locations = spec.outputs.mapValues(RemoteFiles.display)
    for (name, file) in files {
      try file.flush()
      let digest = try SHA256.digest(ofDescriptor: file.descriptor.rawValue, name: file.path)
      let size = FileSnapshot(of: file.descriptor.rawValue)?.byteCount ?? 0
      let sidecar = answer.sidecars[name].map { $0(digest.hex) }
      outputs.append(
        (JobOutput(name: name, path: locations[name] ?? file.path, sha256: digest.hex, byteCount: size, sidecar: sidecar), file))
    }
    if outputs.isEmpty {
      phase(.commit)
      return try store.retrying { try store.complete(claim, result: answer.result) }
    }
    try store.retrying { try store.recordOutputs(claim, outputs.map(\.output), result: answer.result) }
    phase(.link)
    let recorded = try store.retrying { try store.recordedOutputs(claim.job) }.map(\.output)
    var standing: [JobOutput] = []
    for (output, file) in outputs {
      guard let location = spec.outputs[output.name], RemoteFiles.isRemote(location) else { continue }
      guard let remote else { throw JobsError(.failed, "cannot send the outputs", reason: "this worker does not send") }
      try remote.send(file.descriptor, byteCount: output.byteCount, to: location, cancellation: cancellation)
      standing.append(output)
    }
    for (output, file) in outputs where !RemoteFiles.isRemote(output.path) { standing.append(try place(output, file, recorded)) }
    try commit(standing, answer.result)
  }

  /// Completes with the outputs of an earlier attempt, when all of them stand there.
  /// - Returns: false when they do not; the job must be run.
  func adopt() throws -> Bool {
    let recorded = try store.retrying { try store.recordedOutputs(claim.job) }
    for token in Set(recorded.map(\.token)).sorted(by: >) {
      let group = recorded.filter { $0.token == token }
      // All that the attempt recorded; it recorded all outputs in one transaction.
      guard group.allSatisfy({ Publication.stands($0.output) }) else { continue }
      for entry in group { try restoreSidecar(entry.output) }
      try commit(group.map(\.output), group[0].result)
      return true
    }
    return false
  }

  /// Throws `outputExists` when an output is taken by a file that is not this job's own.
  func check() throws {
    if spec.overwrite { return }
    let recorded = try store.retrying { try store.recordedOutputs(claim.job) }.map(\.output)
    for path in spec.outputs.values where !RemoteFiles.isRemote(path) {
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      if !recorded.contains(where: { $0.path == path && Publication.stands($0) }) { throw Publication.taken(path) }
    }
  }

  private func commit(_ outputs: [JobOutput], _ result: [UInt8]) throws {
    phase(.commit)
    do {
      try store.retrying {
        try store.complete(claim, result: result) { try JobStore.keepOutputs(claim, outputs, in: $0) }
      }
    } catch let error as JobsError where error.code == .fenced {
      // Another attempt has won: its sidecars must stand beside its outputs, not ours.
      for output in try store.outputs(of: claim.job) where Publication.stands(output) { try restoreSidecar(output) }
      throw error
    }
  }

  private func place(_ output: JobOutput, _ file: PendingFile, _ recorded: [JobOutput]) throws -> JobOutput {
    let isNewSidecar = try placeSidecar(output, recorded)
    if try !whileOwned(output, isNewSidecar, { try file.link() }) {
      if let own = recorded.first(where: { $0.path == output.path && Publication.stands($0) }) {
        try restoreSidecar(own)
        try file.flushFolder()
        return own
      }
      guard spec.overwrite else {
        if isNewSidecar { unlink(Publication.sidecarPath(output.path)) }
        throw Publication.taken(output.path)
      }
      try whileOwned(output, isNewSidecar) { try file.replace() }
    }
    try file.flushFolder()
    return output
  }

  /// Gives an output its name unless the job has been taken away: an erasure sees every file that ever appears.
  private func whileOwned<Result>(_ output: JobOutput, _ isNewSidecar: Bool, _ body: () throws -> Result) throws -> Result {
    do {
      return try store.retrying { try store.whileOwned(claim, body) }
    } catch let error as JobsError where error.code == .fenced {
      let state = try store.job(claim.job)?.state
      // Erased: nobody else will put an output beside the sidecar.
      if isNewSidecar, state == nil || state == .cancelled, access(output.path, F_OK) != 0 {
        let sidecar = Publication.sidecarPath(output.path)
        if Publication.contents(sidecar) == output.sidecar.map({ Array($0.utf8) }) { unlink(sidecar) }
      }
      throw error
    }
  }

  /// Returns whether it was put where there was none.
  private func placeSidecar(_ output: JobOutput, _ recorded: [JobOutput]) throws -> Bool {
    guard let text = output.sidecar else { return false }
    let path = Publication.sidecarPath(output.path)
    let file = try sidecarFile(path, text)
    if try file.link() { return true }
    var status = stat()
    let isAlone = lstat(output.path, &status) != 0 && errno == ENOENT
    let isOwn = recorded.contains { $0.path == output.path && $0.sidecar.map { Array($0.utf8) } == Publication.contents(path) }
    guard isAlone || isOwn || spec.overwrite else { throw Publication.taken(output.path) }
    try file.replace()
    return isAlone
  }

  /// Puts the sidecar of an output that stands there, unless it is there already.
  private func restoreSidecar(_ output: JobOutput) throws {
    guard let text = output.sidecar else { return }
    let path = Publication.sidecarPath(output.path)
    if Publication.contents(path) == Array(text.utf8) { return }
    let file = try sidecarFile(path, text)
    try file.replace()
    try file.flushFolder()
  }

  private func sidecarFile(_ path: String, _ text: String) throws -> PendingFile {
    let file = try PendingFile(path: path, tag: "\(claim.job)-\(claim.token)-sidecar", mode: 0o600)
    try file.write(Array(text.utf8))
    try file.flush()
    return file
  }

  static func sidecarPath(_ path: String) -> String { OutputNames.sidecar(of: path) }

  /// Whether the file at the output's path has its size and hash.
  static func stands(_ output: JobOutput) -> Bool {
    let number = open(output.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return false }
    let descriptor = Descriptor(owning: number)
    guard let snapshot = FileSnapshot(of: number), snapshot.isRegular, snapshot.byteCount == output.byteCount else { return false }
    return (try? SHA256.digest(ofDescriptor: descriptor.rawValue, name: output.path))?.hex == output.sha256
  }

  /// A small file whole; nil when there is none.
  static func contents(_ path: String) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(owning: number)
    guard let snapshot = FileSnapshot(of: number), snapshot.isRegular, snapshot.byteCount <= 64 << 20 else { return nil }
    let bytes = descriptor.bytes(at: 0, count: Int(snapshot.byteCount))
    return bytes.count == Int(snapshot.byteCount) ? bytes : nil
  }

  private static func taken(_ path: String) -> JobsError {
    JobsError(.outputExists, "cannot create \(path)", reason: "it exists already", advice: "set overwrite in the job to replace it")
  }
}
