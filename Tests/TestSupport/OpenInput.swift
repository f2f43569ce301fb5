public import FileAccess
import Glibc
public import MediaCore

/// Opens `path` as a task's input would be.
public func openInput(_ path: String) throws(MediaError) -> InputFile {
  let number = open(path, O_RDONLY | O_CLOEXEC)
  guard number >= 0, let snapshot = FileSnapshot(of: number) else {
    throw MediaError(.missing, "cannot open \(path)", path: path, reason: String(cString: strerror(errno)))
  }
  return InputFile(descriptor: Descriptor(owning: number), displayName: path, snapshot: snapshot)
}
