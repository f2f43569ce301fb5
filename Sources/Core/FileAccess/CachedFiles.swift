public import MediaCore
import Synchronization

/// Files with a cache beside them: names that begin with `CachedFiles.prefix` are entries of a `ContentCache`.
///
/// A task asks for an entry like for an input, and is told `missing` when there is none; it writes one like an output. One entry is
/// written at a time: asking for any entry says that the last is complete, `finish` says it of the very last. A task whose files have no
/// cache gets errors for these names and must do without. Safe to use from any thread.
public final class CachedFiles: Files {
  /// Of the names of entries; the key follows.
  public static let prefix = "segment-cache/"

  private let files: any Files
  private let cache: ContentCache
  private let pending = Mutex<ContentCache.Pending?>(nil)

  public init(_ files: any Files, cache: ContentCache) {
    self.files = files
    self.cache = cache
  }

  public func openInput(_ name: String) throws(MediaError) -> InputFile {
    guard name.hasPrefix(CachedFiles.prefix) else { return try files.openInput(name) }
    keepPending()
    guard let entry = cache.open(String(name.dropFirst(CachedFiles.prefix.count))) else {
      throw MediaError(.missing, "cannot read the cache", reason: "there is no such entry")
    }
    return entry
  }

  public func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    guard name.hasPrefix(CachedFiles.prefix) else { return try files.createOutput(name) }
    keepPending()
    let entry = try cache.create(String(name.dropFirst(CachedFiles.prefix.count)))
    pending.withLock { $0 = entry }
    return OutputFile(descriptor: entry.descriptor, displayName: "the cache")
  }

  public func completeOutput(_ name: String) throws(MediaError) {
    guard name.hasPrefix(CachedFiles.prefix) else { return try files.completeOutput(name) }
    keepPending()
  }

  public func createScratch() throws(MediaError) -> Descriptor { try files.createScratch() }

  /// Call when the task has ended well: keeps the last entry and holds the quota.
  public func finish() {
    keepPending()
    cache.makeRoom()
  }

  private func keepPending() {
    pending.withLock { entry in
      entry?.keep()
      entry = nil
    }
  }
}
