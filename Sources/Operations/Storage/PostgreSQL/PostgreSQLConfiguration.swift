/// How a PostgreSQL store is reached.
public struct PostgreSQLConfiguration: Hashable, Sendable {
  /// A libpq connection string: `postgresql://user@host/database?sslmode=verify-full`. A password belongs into libpq's
  /// password file or service file, not here.
  public var url: String
  /// The schema that holds the tables; made when it is missing. 1–40 of `a-z`, `0-9` and `_`. Default `reelwright`.
  public var schema = "reelwright"
  /// Most connections for transactions; doorbells and session locks have their own. Default 4.
  public var connections = 4
  /// Seconds to wait for a connection. Default 5.
  public var connectSeconds = 5
  /// Milliseconds a statement may wait for a lock before it throws `busy`. Default 10,000.
  public var lockMilliseconds = 10_000
  /// Seconds until both sides give up a connection on which nothing is acknowledged any more: the time after which the
  /// death of a host frees its session locks. Default 3.
  public var silenceSeconds = 3
  /// Seconds after a start of the server in which a free session lock proves nothing: its owner may be about to
  /// connect again. Default 5.
  public var restartGraceSeconds = 5

  public init(url: String) { self.url = url }
}
