import Glibc
public import MediaCore
import Synchronization

/// Files by key in one folder, bounded by a quota: the least recently used leave first.
///
/// Several processes may share a folder. An entry has its name only when it is complete, and one that is open stays readable after it
/// was removed. The folder has mode 0700. Keys say what is in an entry, so that nothing is ever changed or replaced by something else;
/// whoever reads an entry checks its content, because the disk may have harmed it. Safe to use from any thread.
public final class ContentCache: Sendable {
  public let folder: String
  public let quotaBytes: Int64

  /// - Parameters:
  ///   - folder: made when missing, with those above it.
  ///   - quotaBytes: what all entries together may take. Default 8 GiB.
  /// - Throws: `exists` when the folder cannot be made or belongs to someone else.
  public init(folder: String, quotaBytes: Int64 = 8 << 30) throws(MediaError) {
    self.folder = folder
    self.quotaBytes = quotaBytes
    var partial = folder.hasPrefix("/") ? "" : "."
    for part in folder.split(separator: "/") {
      partial += "/" + part
      if mkdir(partial, 0o700) != 0, errno != EEXIST { throw ContentCache.failure("cannot make the cache", folder, errno) }
    }
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
      throw MediaError(
        .exists, "cannot use the cache \(folder)", path: folder, reason: "it is not a folder of this user",
        advice: "set XDG_CACHE_HOME, or do without with --no-cache")
    }
  }

  /// Whether `key` can name an entry: 64 lower-case hex digits.
  public static func isKey(_ key: some StringProtocol) -> Bool {
    key.utf8.count == 64
      && key.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  /// The entry of `key`, marked as used just now; nil when there is none.
  public func open(_ key: String) -> InputFile? {
    guard ContentCache.isKey(key) else { return nil }
    let number = Glibc.open(folder + "/" + key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(owning: number)
    futimens(number, nil)
    guard let snapshot = FileSnapshot(of: number), snapshot.isRegular else { return nil }
    return InputFile(descriptor: descriptor, displayName: "the cache", snapshot: snapshot)
  }

  /// A file that becomes the entry of `key` with `keep`, and is gone without.
  public func create(_ key: String) throws(MediaError) -> Pending {
    guard ContentCache.isKey(key) else { throw MediaError(.bug, "cannot use the cache", reason: "\(key) is no key") }
    let path = "\(folder)/.\(key).\(getpid())-\(ContentCache.counter.add(1, ordering: .relaxed).newValue).partial"
    let number = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw ContentCache.failure("cannot write to the cache", folder, errno) }
    return Pending(descriptor: Descriptor(owning: number), path: path, final: folder + "/" + key)
  }

  /// Removes an entry that turned out to be damaged.
  public func remove(_ key: String) {
    if ContentCache.isKey(key) { unlink(folder + "/" + key) }
  }

  /// Brings the entries below the quota, the least recently used first, and removes what killed processes left behind.
  public func makeRoom() {
    guard let directory = opendir(folder) else { return }
    defer { closedir(directory) }
    var entries: [(name: String, bytes: Int64, used: Int)] = []
    var total: Int64 = 0
    let now = time(nil)
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      var status = stat()
      guard name != ".", name != "..", fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      if name.hasSuffix(".partial") {
        if now - status.st_mtim.tv_sec > 86_400 { unlinkat(dirfd(directory), name, 0) }
      } else if ContentCache.isKey(name) {
        entries.append((name, Int64(status.st_size), status.st_mtim.tv_sec))
        total += Int64(status.st_size)
      }
    }
    guard total > quotaBytes else { return }
    // A tenth more than needed, so that this is not done for every entry.
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > quotaBytes / 10 * 9 {
      if unlinkat(dirfd(directory), entry.name, 0) == 0 { total -= entry.bytes }
    }
  }

  /// An entry being written.
  public final class Pending: Sendable {
    public let descriptor: Descriptor
    private let path: String
    private let final: String
    private let isKept = Atomic<Bool>(false)

    init(descriptor: Descriptor, path: String, final: String) {
      self.descriptor = descriptor
      self.path = path
      self.final = final
    }

    deinit { if !isKept.load(ordering: .relaxed) { unlink(path) } }

    /// Gives the entry its name. Not flushed: a power cut may harm it, which its reader notices.
    public func keep() {
      if rename(path, final) == 0 { isKept.store(true, ordering: .relaxed) }
    }
  }

  private static let counter = Atomic<UInt64>(0)

  private static func failure(_ operation: String, _ folder: String, _ error: Int32) -> MediaError {
    MediaError(
      error == ENOSPC || error == EDQUOT ? .io : .exists, operation, path: folder, reason: String(cString: strerror(error)),
      advice: "set XDG_CACHE_HOME, or do without with --no-cache")
  }
}
