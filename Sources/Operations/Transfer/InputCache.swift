public import Crypto
public import FileAccess
internal import Glibc
public import MediaCore

/// Fetched inputs on disk under the SHA-256 of their content, bounded by a quota.
///
/// Several processes may share a folder: an input that two want at once is fetched once. What is not complete has no
/// name that anyone would open, and what a killed process left behind is removed by the next one. The least recently
/// used inputs leave first; one that is open stays readable until it is closed. The folder has mode 0700, its files 0600.
public final class InputCache: Sendable {
  /// An input of the cache, open for reading.
  public struct Entry: Sendable {
    public let descriptor: Descriptor
    public let digest: SHA256Digest
    public let byteCount: Int64
    /// False when it was there already.
    public let wasFetched: Bool
  }

  public let folder: String
  public let quotaBytes: Int64

  /// - Parameters:
  ///   - folder: made when missing; its parent must exist.
  ///   - quotaBytes: what all inputs together may take. Default 20 GiB.
  public init(folder: String, quotaBytes: Int64 = 20 << 30) throws(TransferError) {
    self.folder = folder
    self.quotaBytes = quotaBytes
    if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Self.failure("cannot make the input cache") }
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
      throw TransferError(.refused, "cannot use the input cache", reason: "it is not a folder of this user")
    }
    guard chmod(folder, 0o700) == 0 else { throw Self.failure("cannot protect the input cache") }
    sweep()
  }

  /// The input of hash `digest` from the cache, or fetched from `url`.
  ///
  /// A cached input is hashed again before it is handed out: a damaged one is fetched anew. Without a digest the input
  /// is always fetched. Throws `tooLarge` when it does not fit the quota.
  public func input(
    from url: TransferURL, digest: SHA256Digest?, client: HTTPClient, options: DownloadOptions = DownloadOptions(),
    cancellation: Cancellation? = nil
  ) throws(TransferError) -> Entry {
    if let digest, let entry = try cached(digest, cancellation: cancellation) { return entry }
    // One of 64 locks, so that lock files do not add up; two inputs that share one wait for each other.
    let lock = try digest.map { digest throws(TransferError) in try locked("lock-\(digest.bytes[0] >> 2)", cancellation: cancellation) }
    defer { withExtendedLifetime(lock) {} }
    if let digest, let entry = try cached(digest, cancellation: cancellation) { return entry }
    var options = options
    options.expected = digest ?? options.expected
    options.maximumByteCount = min(options.maximumByteCount, quotaBytes)
    let (partial, path) = try makePartial()
    do throws(TransferError) {
      let download = try client.download(url, to: partial.rawValue, options: options, cancellation: cancellation)
      let final = name(of: download.digest)
      try makeRoom(for: download.byteCount, keeping: final)
      guard fsync(partial.rawValue) == 0, rename(path, final) == 0 else { throw Self.failure("cannot keep a fetched input") }
      return Entry(descriptor: partial, digest: download.digest, byteCount: download.byteCount, wasFetched: true)
    } catch {
      unlink(path)
      throw error
    }
  }

  /// The input of hash `digest` when it is in the cache and whole; nil otherwise.
  public func cached(_ digest: SHA256Digest, cancellation: Cancellation? = nil) throws(TransferError) -> Entry? {
    let path = name(of: digest)
    let number = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(owning: number)
    guard let snapshot = FileSnapshot(of: number), snapshot.isRegular else { return nil }
    let found: SHA256Digest
    do { found = try SHA256.digest(ofDescriptor: number, cancellation: cancellation) } catch { throw TransferError(error) }
    guard found == digest else {
      unlink(path)
      return nil
    }
    // Inputs leave in order of use. The access time is set here, because file systems may not keep it.
    futimens(number, nil)
    return Entry(descriptor: descriptor, digest: digest, byteCount: snapshot.byteCount, wasFetched: false)
  }

  /// Bytes that all inputs in the cache take.
  public func usedBytes() -> Int64 { entries().reduce(0) { $0 + $1.byteCount } }

  private func name(of digest: SHA256Digest) -> String { "\(folder)/sha256-\(digest.hex)" }

  private func makeRoom(for byteCount: Int64, keeping path: String) throws(TransferError) {
    guard byteCount <= quotaBytes else {
      throw TransferError(.tooLarge, "cannot keep a fetched input", reason: "\(byteCount) bytes exceed the cache's quota of \(quotaBytes)")
    }
    let lock = try locked("lock-room", cancellation: nil)
    defer { withExtendedLifetime(lock) {} }
    var entries = entries().filter { $0.path != path }
    var used = entries.reduce(0) { $0 + $1.byteCount }
    entries.sort { $0.usedNanoseconds < $1.usedNanoseconds }
    for entry in entries where used + byteCount > quotaBytes {
      unlink(entry.path)
      used -= entry.byteCount
    }
  }

  private func entries() -> [(path: String, byteCount: Int64, usedNanoseconds: Int64)] {
    names().filter { $0.hasPrefix("sha256-") }.compactMap { name in
      let path = "\(folder)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      return (path, Int64(status.st_size), Int64(status.st_atim.tv_sec) * 1_000_000_000 + Int64(status.st_atim.tv_nsec))
    }
  }

  private func names() -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
    }
    return names
  }

  /// A new file that no reader opens, locked for as long as it is open.
  private func makePartial() throws(TransferError) -> (Descriptor, String) {
    while true {
      let path = "\(folder)/partial-\(Hex.encode(SecureRandom.bytes(8)))"
      let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      guard number >= 0 else { throw Self.failure("cannot make a file in the input cache") }
      let descriptor = Descriptor(owning: number)
      var status = stat()
      // A sweep may have met it between its making and its locking; then it has no name any more.
      if flock(number, LOCK_EX | LOCK_NB) == 0, fstat(number, &status) == 0, status.st_nlink == 1 {
        return (descriptor, path)
      }
    }
  }

  /// Removes what processes that are gone did not finish: their locks went with them.
  private func sweep() {
    for name in names() where name.hasPrefix("partial-") {
      let path = "\(folder)/\(name)"
      let number = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else { continue }
      if flock(number, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(number)
    }
  }

  private func locked(_ name: String, cancellation: Cancellation?) throws(TransferError) -> Descriptor {
    let number = open("\(folder)/\(name)", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw Self.failure("cannot lock the input cache") }
    let descriptor = Descriptor(owning: number)
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw Self.failure("cannot lock the input cache") }
      if cancellation?.isCancelled ?? false { throw TransferError(.cancelled, "cannot use the input cache", reason: "cancelled") }
      usleep(20_000)
    }
    return descriptor
  }

  private static func failure(_ operation: String) -> TransferError {
    TransferError(.io, operation, reason: String(cString: strerror(errno)))
  }
}
