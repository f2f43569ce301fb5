import Glibc

/// Sweeps at start what processes that were killed have left: scratch folders of jobs that are finished or unknown, and
/// sidecars whose output never came.
struct Janitor {
  let store: JobStore
  let scratch: Scratch

  /// Failures are left for the next start.
  func sweep() {
    for id in scratch.jobs() {
      guard let found = try? store.jobs([id]) else { continue }
      if found.first?.state.isFinal != false { scratch.remove(id) }
    }
    for output in (try? store.unfinishedOutputs()) ?? [] {
      var status = stat()
      guard lstat(output.path, &status) != 0, errno == ENOENT else { continue }
      let sidecar = Publication.sidecarPath(output.path)
      if Publication.contents(sidecar) == output.sidecar.map({ Array($0.utf8) }) { unlink(sidecar) }
    }
  }
}
