import Glibc
import MediaCore
import Synchronization

/// Files of one folder that wait for the end of a run without a descriptor each: under numbers in a hidden, locked folder
/// `.reel-….partial` of that folder. It goes with the run; what a killed one left is swept away when the next output is
/// created there.
final class WaitingRoom: Sendable {
  private let folder: Descriptor
  private let room: Descriptor
  private let name: String
  private let counter = Atomic<Int>(0)

  /// - Parameter path: the folder of the outputs.
  init(folder path: String) throws(MediaError) {
    let operation = "cannot create a temporary folder in \(path)"
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw PendingOutput.failure(operation, path, errno) }
    folder = Descriptor(owning: number)
    PendingOutput.sweep(folder)
    while true {
      let candidate = ".reel-\(PendingOutput.tag()).partial"
      guard mkdirat(number, candidate, 0o700) == 0 else { throw PendingOutput.failure(operation, path, errno) }
      let opened = openat(number, candidate, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      // Another run may have swept it away before it was locked.
      guard opened >= 0 || errno == ENOENT else { throw PendingOutput.failure(operation, path, errno) }
      if opened < 0 { continue }
      let descriptor = Descriptor(owning: opened)
      var status = stat()
      // Where nothing can be locked, nothing is swept either.
      if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { continue }
      guard fstat(opened, &status) == 0, status.st_nlink > 0 else { continue }
      room = descriptor
      name = candidate
      return
    }
  }

  deinit { WaitingRoom.remove(name, opened: room.rawValue, from: folder.rawValue) }

  /// A new file in the room.
  func admit(_ operation: String, _ path: String) throws(MediaError) -> (number: Int, descriptor: Descriptor) {
    let number = counter.add(1, ordering: .relaxed).newValue
    let file = openat(room.rawValue, String(number), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw PendingOutput.failure(operation, path, errno) }
    return (number, Descriptor(owning: file))
  }

  /// The file again; nil when it cannot be opened (`errno`).
  func reopen(_ number: Int) -> Descriptor? {
    let file = openat(room.rawValue, String(number), O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    return file < 0 ? nil : Descriptor(owning: file)
  }

  /// Gives the file its name in the folder; false when that fails (`errno`).
  func move(_ number: Int, to name: String, mayReplace: Bool) -> Bool {
    if mayReplace { return renameat(room.rawValue, String(number), folder.rawValue, name) == 0 }
    return linkat(room.rawValue, String(number), folder.rawValue, name, 0) == 0
  }

  func flush() { fsync(folder.rawValue) }

  func drop(_ number: Int) { unlinkat(room.rawValue, String(number), 0) }

  /// Empties a room and removes it.
  static func remove(_ name: String, opened room: Int32, from folder: Int32) {
    let copy = openat(room, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let listing = fdopendir(copy) else { return }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let file = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // Files of ours and nothing else; a folder that holds more stays.
      if Int(file) != nil { unlinkat(room, file, 0) }
    }
    unlinkat(folder, name, AT_REMOVEDIR)
  }
}
