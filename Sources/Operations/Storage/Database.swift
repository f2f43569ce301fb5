/// Which SQL the other side speaks; for the few places where one text does not serve both.
public enum Dialect: Sendable {
  case sqlite, postgresql

  /// The column type that holds bytes.
  public var blobType: String { self == .sqlite ? "BLOB" : "BYTEA" }

  /// Appended to a SELECT that is to lock the rows it finds and pass over rows that others hold. Empty on SQLite,
  /// where the one writer holds everything.
  public var skipLocked: String { self == .sqlite ? "" : " FOR UPDATE SKIP LOCKED" }
}

/// How much of a commit must survive a power failure.
public enum Durability: Sendable {
  /// On stable storage before `write` returns (`synchronous = FULL`; PostgreSQL `synchronous_commit = on`). Default.
  case powerSafe
  /// Survives the death of the process; a power failure may take the last of these, never a part of one
  /// (`synchronous = NORMAL`; `synchronous_commit = off`). For progress and heartbeats.
  case crashSafe
}

/// A database that modules share: jobs, log and outbox have their tables in one, so that they share transactions.
///
/// All calls block and may come from any thread; none may come from the cooperative pool. Statements number their
/// parameters `$1`, `$2` … on both databases.
public protocol Database: AnyObject, Sendable {
  var dialect: Dialect { get }

  /// The file, or the server without its password; for messages.
  var displayName: String { get }

  /// Runs `body` in a read-write transaction: all of it is kept, or, when `body` or the commit throws, nothing.
  ///
  /// On SQLite writers queue for the one writing connection, and those that wait together share one commit (group
  /// commit); each still succeeds or fails by itself. `body` may therefore run on another caller's thread, and must
  /// not call `write` or wait for another caller.
  /// - Returns: What `body` returned, after the commit.
  /// - Throws: `StorageError` of the commit, or what `body` threw.
  func write<Result>(_ durability: Durability, _ body: (any Transaction) throws -> Result) throws -> Result

  /// Runs `body` on a consistent snapshot. Writing in it throws.
  func read<Result>(_ body: (any Transaction) throws -> Result) throws -> Result

  /// A waiter that wakes when a transaction that called `ring(bell)` has committed, here or in another process.
  func doorbell(_ bell: String) throws(StorageError) -> any Doorbell

  /// Takes the lock `key` for as long as the result lives. It vanishes with the process, also when that is killed:
  /// `Transaction.takeLock` tells the others.
  /// - Returns: nil when somebody else holds it.
  func sessionLock(_ key: Int64) throws(StorageError) -> (any SessionLock)?
}

extension Database {
  /// `write` with the default durability, `powerSafe`.
  public func write<Result>(_ body: (any Transaction) throws -> Result) throws -> Result { try write(.powerSafe, body) }
}

/// An open transaction. Valid only inside the closure it was handed to, on that thread.
public protocol Transaction: AnyObject {
  var dialect: Dialect { get }

  /// Runs one statement and returns the number of rows it changed.
  @discardableResult
  func execute(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> Int

  /// Runs one statement and returns its rows (also of INSERT/UPDATE/DELETE … RETURNING).
  func query(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> [Row]

  /// Wakes the waiters of `bell` once this transaction has committed. `bell`: 1–40 of `a-z`, `0-9` and `_`.
  func ring(_ bell: String) throws(StorageError)

  /// Takes the lock `key` until this transaction ends.
  /// - Returns: false when a living session holds it, or when that cannot be known yet (PostgreSQL just restarted).
  func takeLock(_ key: Int64) throws(StorageError) -> Bool
}

extension Transaction {
  /// `execute` without parameters.
  @discardableResult
  public func execute(_ sql: String) throws(StorageError) -> Int { try execute(sql, []) }

  /// `query` without parameters.
  public func query(_ sql: String) throws(StorageError) -> [Row] { try query(sql, []) }

  /// The first column of the first row; nil when there is no row or it holds NULL.
  public func integer(_ sql: String, _ values: [SQLValue] = []) throws(StorageError) -> Int64? {
    try query(sql, values).first?.integer(0)
  }
}

/// Waits for a bell. One thread at a time; create one per waiter. No ring after creation is missed: a ring before
/// `wait` makes it return at once. It may also wake without a ring.
public protocol Doorbell: AnyObject, Sendable {
  /// Waits until the bell rings, `wake` is called, or the time is up; returns whether it was woken.
  func wait(milliseconds: Int) -> Bool

  /// Wakes the waiter, from any thread or signal-handling thread.
  func wake()

  /// Wakes the waiter once when the other end of `descriptor` (a FIFO or socket) hangs up. The caller keeps the
  /// descriptor open until `unwatch`.
  func watch(_ descriptor: Int32)

  /// Stops watching; call it before closing the descriptor.
  func unwatch(_ descriptor: Int32)
}

/// A lock that a living process holds; freed when the last reference goes away or the process ends.
public protocol SessionLock: AnyObject, Sendable {
  /// Whether it is still held: a server that restarted has forgotten it, and it must be taken anew. May ask the server.
  func isHeld() -> Bool
}
