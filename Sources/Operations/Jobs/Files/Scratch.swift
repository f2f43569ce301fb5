import FoundationEssentials
import Glibc

/// The scratch folders of jobs: `ROOT/ID`, 0700, kept between the attempts of a job, gone when it is finished.
struct Scratch: Sendable {
  let root: String

  func folder(_ id: JobID) throws(JobsError) -> String {
    for path in [root, "\(root)/\(id)"] {
      if mkdir(path, 0o700) == 0 {
        chmod(path, 0o700)
      } else if errno != EEXIST {
        throw PendingFile.failure("create", path, errno)
      }
    }
    return "\(root)/\(id)"
  }

  func remove(_ id: JobID) {
    let path = "\(root)/\(id)"
    if access(path, F_OK) == 0 { try? FileManager.default.removeItem(atPath: path) }
  }

  /// The jobs that have a folder.
  func jobs() -> [JobID] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { JobID($0) }
  }
}
