import Glibc

/// A SQLite database in WAL mode: one writing connection with group commit, a few readers.
///
/// The file has mode 0600 and its folder, when created here, 0700, whatever the umask. It must lie on a local file
/// system: WAL and `flock` do not work across machines.
public final class SQLiteDatabase: Database, Sendable {
  public let dialect = Dialect.sqlite
  public let path: String
  public var displayName: String { path }
  private let writer: GroupCommit
  private let readers: Monitor<[SQLiteConnection]>
  private let bells = Monitor<[String: Int32]>([:])

  /// Opens `path`, creating it and its last folder where missing.
  /// - Throws: `cannotOpen`, `denied`, `corrupt` (its advice names the backup, when there is one), `full`, `io`.
  public init(path: String, configuration: SQLiteConfiguration = SQLiteConfiguration()) throws(StorageError) {
    self.path = path
    try SQLiteDatabase.prepareFile(path)
    let connection = try SQLiteConnection(path: path, configuration: configuration, readOnly: false)
    writer = GroupCommit(connection, path: path, groupSize: configuration.groupSize)
    var idle: [SQLiteConnection] = []
    for _ in 0..<max(1, configuration.readers) {
      idle.append(try SQLiteConnection(path: path, configuration: configuration, readOnly: true))
    }
    readers = Monitor(idle)
  }

  deinit {
    bells.withLock { for descriptor in $0.values { close(descriptor) } }
  }

  public func write<Result>(_ durability: Durability, _ body: (any Transaction) throws -> Result) throws -> Result {
    let (result, rung) = try writer.perform(durability, body)
    // After the commit: a waiter that wakes must see what it was woken for.
    for bell in rung { if let descriptor = try? bellFile(bell) { SQLiteDoorbell.ring(descriptor) } }
    return result
  }

  public func read<Result>(_ body: (any Transaction) throws -> Result) throws -> Result {
    let connection = readers.wait { $0.popLast() }
    defer { readers.signal { $0.append(connection) } }
    try connection.run("BEGIN")
    defer { connection.rollback() }
    return try body(SQLiteTransaction(connection, lockPath: lockPath))
  }

  public func doorbell(_ bell: String) throws(StorageError) -> any Doorbell {
    _ = try bellFile(bell)
    return try SQLiteDoorbell(path: bellPath(bell))
  }

  /// Copies the WAL into the file and truncates it: after an erasure nothing of the old pages stays in it.
  /// - Throws: `busy` while readers hold the old pages.
  public func truncateLog() throws(StorageError) { try writer.truncateLog() }

  public func sessionLock(_ key: Int64) throws(StorageError) -> (any SessionLock)? { try SQLiteSessionLock.take(lockPath(key)) }

  private func lockPath(_ key: Int64) -> String { SQLiteSessionLock.path(path, key) }

  private func bellPath(_ bell: String) -> String { "\(path)-bell-\(bell)" }

  private func bellFile(_ bell: String) throws(StorageError) -> Int32 {
    try BellName.check(bell)
    return try bells.withLock { (open) throws(StorageError) -> Int32 in
      if let descriptor = open[bell] { return descriptor }
      let descriptor = Glibc.open(bellPath(bell), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else {
        throw StorageError(.cannotOpen, "cannot open", path: bellPath(bell), reason: String(cString: strerror(errno)))
      }
      open[bell] = descriptor
      return descriptor
    }
  }
}
