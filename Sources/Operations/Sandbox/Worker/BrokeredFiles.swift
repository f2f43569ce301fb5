import FileAccess
import MediaCore

/// Files by logical name in a worker process: the orchestrator opens them and passes the descriptors.
final class BrokeredFiles: Files {
  private let channel: WorkerChannel

  init(_ channel: WorkerChannel) { self.channel = channel }

  func openInput(_ name: String) throws(MediaError) -> InputFile {
    let answer = try channel.ask(.input, name)
    guard let descriptor = answer.descriptor, let snapshot = answer.snapshot else { throw noDescriptor("open", name) }
    return InputFile(descriptor: descriptor, displayName: answer.displayName, snapshot: snapshot)
  }

  func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    let answer = try channel.ask(.output, name)
    guard let descriptor = answer.descriptor else { throw noDescriptor("create", name) }
    return OutputFile(descriptor: descriptor, displayName: answer.displayName)
  }

  func completeOutput(_ name: String) throws(MediaError) { _ = try channel.ask(.complete, name) }

  func createScratch() throws(MediaError) -> Descriptor {
    guard let descriptor = try channel.ask(.scratch, "").descriptor else { throw noDescriptor("create", "a scratch file") }
    return descriptor
  }

  private func noDescriptor(_ verb: String, _ name: String) -> MediaError {
    // The kernel drops what exceeds the limit on open files.
    MediaError(.refused, "cannot \(verb) \(name)", reason: "the worker process has too many open files", advice: "close some first")
  }
}
