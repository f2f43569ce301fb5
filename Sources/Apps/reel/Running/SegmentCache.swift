import CommandLayer
import Glibc
import Reelwright

/// The segment cache of this user: `$XDG_CACHE_HOME/reelwright/segments`, or in `~/.cache`.
enum SegmentCache {
  /// The files of a render with the cache beside them, and the task told to use it; nil with `--no-cache`, and where no cache can be had:
  /// a render does not fail for want of one.
  static func files(_ files: LocalFiles, of task: inout RenderTask, _ invocation: Invocation) throws -> CachedFiles? {
    task.copiesPackets = !invocation.flag("no-copy")
    guard !invocation.flag("no-cache"), let folder else { return nil }
    let cache: ContentCache
    do {
      cache = try ContentCache(folder: folder, quotaBytes: quotaBytes)
    } catch {
      invocation.console.note("reel: \(error)")
      return nil
    }
    task.usesCache = true
    return CachedFiles(files, cache: cache)
  }

  private static var folder: String? {
    func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil } }
    return (value("XDG_CACHE_HOME") ?? value("HOME").map { $0 + "/.cache" }).map { $0 + "/reelwright/segments" }
  }

  /// What all entries together may take: `REELWRIGHT_CACHE_BYTES`, by default 8 GiB.
  private static var quotaBytes: Int64 {
    getenv("REELWRIGHT_CACHE_BYTES").flatMap { Int64(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil } ?? 8 << 30
  }
}
