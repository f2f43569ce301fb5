import Glibc
import MediaCore

/// An output in a waiting room.
final class WaitingOutput: Sendable {
  private let room: WaitingRoom
  private let number: Int
  private let path: String
  private let mayReplace: Bool

  init(_ number: Int, in room: WaitingRoom, path: String, mayReplace: Bool) {
    self.number = number
    self.room = room
    self.path = path
    self.mayReplace = mayReplace
  }

  deinit { room.drop(number) }

  var descriptor: Descriptor? { room.reopen(number) }

  /// Makes the file appear. See `LocalFiles.publish`.
  func publish(sidecar: String?) throws(MediaError) {
    let operation = "cannot publish \(path)"
    guard let descriptor, fsync(descriptor.rawValue) == 0 else { throw PendingOutput.failure(operation, path, errno) }
    if let sidecar { try PendingOutput.publishSidecar(sidecar, of: path, mayReplace: mayReplace) }
    guard room.move(number, to: PendingOutput.split(path).name, mayReplace: mayReplace) else {
      let error = errno
      if sidecar != nil { unlink(OutputNames.sidecar(of: path)) }
      throw PendingOutput.failure(operation, path, error)
    }
    room.flush()
  }
}
