import FileAccess
import Glibc
import MediaCore
import Synchronization
import TestBasics

@testable import Sandbox

/// Files without paths: inputs with given bytes, outputs that can be read back.
final class MemoryFiles: Files {
  private struct State {
    var inputs: [String: [UInt8]]
    var outputs: [String: Descriptor] = [:]
    var opened: [String] = []
  }
  private let state: Mutex<State>

  init(_ inputs: [String: [UInt8]] = [:]) { state = Mutex(State(inputs: inputs)) }

  var opened: [String] { state.withLock { $0.opened } }

  func openInput(_ name: String) throws(MediaError) -> InputFile {
    guard let bytes = state.withLock({ $0.inputs[name] }) else {
      throw MediaError(.missing, "cannot open \(name)", path: name, reason: "no such input", advice: "name it", details: ["detail"])
    }
    state.withLock { $0.opened.append(name) }
    let file = try temporary()
    _ = pwrite(file.rawValue, bytes, bytes.count, 0)
    return InputFile(descriptor: file, displayName: "shown-\(name)", snapshot: FileSnapshot(of: file.rawValue)!)
  }

  func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    let file = try temporary()
    state.withLock { $0.outputs[name] = file }
    return OutputFile(descriptor: file, displayName: "shown-\(name)")
  }

  func createScratch() throws(MediaError) -> Descriptor { try temporary() }

  func output(_ name: String) -> [UInt8]? {
    guard let file = state.withLock({ $0.outputs[name] }), let snapshot = FileSnapshot(of: file.rawValue) else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(snapshot.byteCount))
    return pread(file.rawValue, &bytes, bytes.count, 0) == bytes.count ? bytes : nil
  }

  private func temporary() throws(MediaError) -> Descriptor {
    let file = open("/tmp", O_RDWR | __O_TMPFILE | O_DIRECTORY | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw MediaError(.io, "cannot create", reason: String(cString: strerror(errno))) }
    return Descriptor(owning: file)
  }
}

/// The worker program of these tests.
let attackProgram = builtProgram("sandbox-attacks")

func attackPool(template: Bool = false, _ change: (inout WorkerConfiguration) -> Void = { _ in }) -> WorkerPool {
  var configuration = WorkerConfiguration()
  configuration.executable = attackProgram
  configuration.usesTemplate = template
  change(&configuration)
  return WorkerPool(configuration)
}

extension WorkerPool {
  /// The result as text.
  func text(
    _ kind: String, _ payload: String = "", files: MemoryFiles = MemoryFiles(), limits: Limits = Limits(),
    cancellation: Cancellation = Cancellation(), progress: (Progress) -> Void = { _ in }
  ) throws(MediaError) -> String {
    let result = try run(
      kind: kind, payload: Array(payload.utf8), files: files, limits: limits, cancellation: cancellation, progress: progress)
    return String(decoding: result.bytes, as: UTF8.self)
  }

  /// The error that a task ends with; nil when it succeeds.
  func failure(
    _ kind: String, _ payload: String = "", files: MemoryFiles = MemoryFiles(), limits: Limits = Limits(),
    cancellation: Cancellation = Cancellation(), progress: (Progress) -> Void = { _ in }
  ) -> MediaError? {
    do throws(MediaError) {
      _ = try text(kind, payload, files: files, limits: limits, cancellation: cancellation, progress: progress)
      return nil
    } catch {
      return error
    }
  }
}

/// What a shell command prints.
func shell(_ command: String) -> String {
  guard let pipe = popen(command, "r") else { return "" }
  defer { pclose(pipe) }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = fread(&buffer, 1, buffer.count, pipe)
    if count == 0 { return String(decoding: text, as: UTF8.self) }
    text += buffer[..<count]
  }
}
