public import Crypto
public import Storage

/// The metadata log of an installation: an append-only, hash-chained, authenticated record of typed events whose payloads
/// are sealed at rest.
///
/// It shares its database with the jobs, so that an event and the change that it tells of are one transaction. All calls
/// block and may come from any thread but the cooperative pool's.
public final class MetadataLog: Sendable {
  /// Every default stated.
  public struct Configuration: Sendable {
    public var retention = Retention()
    /// Events that may wait to be sent. Beyond, progress is dropped first, then passing states, final states never.
    /// Default 1,000,000.
    public var spoolEvents: Int64 = 1_000_000

    public init() {}
  }

  /// Rung when events were appended to the outbox; the reporter waits for it.
  public static let bell = "log_outbox"

  public let database: any Database
  public let configuration: Configuration
  /// This installation's random id, 32 hexadecimal digits: the `source` of what is sent. It names no machine and no user.
  public let installation: String
  let keys: LogKeys
  let clock: any WallClock
  let master: SecretBytes

  private init(
    _ database: any Database, _ master: SecretBytes, _ keys: LogKeys, _ configuration: Configuration, _ clock: any WallClock,
    installation: String
  ) throws {
    self.database = database
    self.configuration = configuration
    self.clock = clock
    self.master = master
    self.keys = keys
    self.installation = installation
    _ = try database.read { try LogHead.read($0, keys: keys) }
  }

  /// Opens the log in `database`, making its tables when they are missing.
  ///
  /// - Parameters:
  ///   - masterKey: 32 bytes, from `MasterKey.load`. The log can be read and continued with this key only.
  ///   - clock: default the machine's.
  /// - Throws: `damaged` when the key is not this log's.
  public convenience init(
    database: any Database, masterKey: SecretBytes, configuration: Configuration = Configuration(), clock: any WallClock = SystemClock()
  ) throws {
    let keys = try MetadataLog.keys(masterKey)
    try database.migrate(module: LogSchema.module, LogSchema.migrations)
    let known = try database.read { try $0.state("installation") }
    let installation =
      try known
      ?? database.write { transaction in
        if let found = try transaction.state("installation") { return found }
        let made = Hex.encode(SecureRandom.bytes(16))
        try keys.setState("installation", made, in: transaction)
        let head = LogHead(sequence: 0, hash: [UInt8](repeating: 0, count: 32), spooled: 0)
        try transaction.execute(
          "INSERT INTO log_head(id, sequence, hash, spooled, mac) VALUES (1, 0, $1, 0, $2)", [.blob(head.hash), .blob(head.mac(keys))])
        return made
      }
    try self.init(database, masterKey, keys, configuration, clock, installation: installation)
    // A store of version 1 has no codes yet.
    if try database.read({ try $0.integer("SELECT count(*) FROM log_codes") }) == 0 {
      try database.write { try keys.guardAllRows(in: $0) }
    }
  }

  /// Opens the log for reading: no table is made or migrated. What appends or changes must not be called.
  ///
  /// nil when nothing has been logged there.
  /// - Throws: `damaged` when the key is not this log's; `StorageError` `olderSchema` or `newerSchema`.
  public convenience init?(
    reading database: any Database, masterKey: SecretBytes, configuration: Configuration = Configuration(),
    clock: any WallClock = SystemClock()
  ) throws {
    let keys = try MetadataLog.keys(masterKey)
    guard try MetadataLog.exists(in: database), let installation = try database.read({ try $0.state("installation") }) else { return nil }
    try self.init(database, masterKey, keys, configuration, clock, installation: installation)
  }

  /// Whether there is a log in `database`. Throws `StorageError` `olderSchema` or `newerSchema` for one of another version.
  public static func exists(in database: any Database) throws -> Bool {
    try database.hasSchema(module: LogSchema.module, LogSchema.migrations)
  }

  /// Whether a log was begun in `database`, of any version: only its own key opens it.
  public static func hasBegun(in database: any Database) throws -> Bool {
    guard try database.schemaVersion(of: LogSchema.module) > 0 else { return false }
    return try !database.read {
      try $0.query("SELECT 1 FROM log_head UNION ALL SELECT 1 FROM log_state WHERE name = 'installation' LIMIT 1")
    }.isEmpty
  }

  private static func keys(_ master: SecretBytes) throws(MetadataLogError) -> LogKeys {
    guard master.count == 32 else {
      throw MetadataLogError(.configuration, "cannot open the log", reason: "its key has \(master.count) bytes instead of 32")
    }
    return LogKeys(master: master)
  }

  func now() -> Int64 { clock.microseconds() }
}

/// The end of the chain.
struct LogHead {
  var sequence: Int64
  var hash: [UInt8]
  /// Events in the outbox, kept here because counting them at every append would not stay cheap. Not authenticated: it
  /// bounds the spool and nothing else.
  var spooled: Int64

  func mac(_ keys: LogKeys) -> [UInt8] { keys.mac("head", sequence.bigEndianBytes + hash) }

  /// Reads the head and checks it. `locking` keeps other PostgreSQL writers from reading it until the transaction ends.
  static func read(_ transaction: any Transaction, keys: LogKeys, locking: Bool = false) throws -> LogHead {
    let lock = locking && transaction.dialect == .postgresql ? " FOR UPDATE" : ""
    guard
      let row = try transaction.query("SELECT sequence, hash, spooled, mac FROM log_head WHERE id = 1\(lock)").first,
      let sequence = row.integer(0), let hash = row.blob(1), let spooled = row.integer(2), let mac = row.blob(3)
    else { throw MetadataLogError(.damaged, "cannot read the log", reason: "the record of its end is missing or malformed") }
    let head = LogHead(sequence: sequence, hash: hash, spooled: spooled)
    guard keys.isValid(mac, "head", sequence.bigEndianBytes + hash) else {
      throw MetadataLogError(
        .damaged, "cannot read the log", reason: "the record of its end was changed, or the log belongs to another key file",
        advice: "restore both from one backup")
    }
    return head
  }

  func write(_ transaction: any Transaction, keys: LogKeys) throws {
    try transaction.execute(
      "UPDATE log_head SET sequence = $1, hash = $2, spooled = $3, mac = $4 WHERE id = 1",
      [.integer(sequence), .blob(hash), .integer(spooled), .blob(mac(keys))])
  }
}
