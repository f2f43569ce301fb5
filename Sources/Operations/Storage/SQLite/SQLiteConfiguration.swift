/// How a SQLite store is opened. Every default suits one machine with a few worker processes.
public struct SQLiteConfiguration: Hashable, Sendable {
  /// Milliseconds a transaction waits for another process's write lock before it throws `busy`. Default 10,000.
  public var busyMilliseconds = 10_000
  /// Page cache of each connection in KiB. Default 2048: a queue of a million jobs stays below 40 MB resident.
  public var cacheKibibytes = 2048
  /// Pages in the WAL after which a commit copies them into the file. Default 1000 (4 MB).
  public var checkpointPages = 1000
  /// Connections for readers. Default 2.
  public var readers = 2
  /// Most transactions that share one commit. Default 256.
  public var groupSize = 256
  /// Overwrite deleted content with zeros: purge and erase promise it. Default true.
  public var secureDelete = true

  /// Whether commits that ask for it survive a power failure. Default true. False makes every commit crash-safe only: for a
  /// queue that can be filled again.
  public var isPowerSafe = true

  public init() {}
}
