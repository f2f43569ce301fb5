import CommandLayer
import Glibc
import Reelwright

/// The store of this installation: one database for jobs, log and outbox, and the key file of the log.
enum Store {
  /// `$XDG_STATE_HOME/reelwright`, or `~/.local/state/reelwright`.
  static var folder: String {
    let state = getenv("XDG_STATE_HOME").map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
    return (state ?? home + "/.local/state") + "/reelwright"
  }

  /// The database that `--store` names, made where it is missing; by default `jobs.sqlite` in the state folder, which is
  /// made with mode 0700. The folder of a database that the command line names must be there.
  /// - Parameter isThere: whether something is expected in it. Default false.
  static func database(_ invocation: Invocation, isThere: Bool = false) throws -> any Database {
    guard let url = invocation.value("store") else {
      try makeFolder(folder)
      return try SQLiteDatabase(path: folder + "/jobs.sqlite")
    }
    if isServer(url) { return try PostgreSQLDatabase(PostgreSQLConfiguration(url: url), makesSchema: !isThere) }
    let path = try path(url)
    let parent = parent(path)
    var status = stat()
    guard stat(parent, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw MediaError(
        .exists, "cannot make the store \(path)", path: path, reason: "there is no folder \(parent)",
        advice: "make the folder, or check --store")
    }
    return try SQLiteDatabase(path: path)
  }

  /// The database that `--store` names, for a command that reads or changes what is there; nothing is made.
  ///
  /// - Returns: nil when the default one has not been made yet: then it holds nothing.
  /// - Throws: `missing` when the command line names one that is not there.
  static func existingDatabase(_ invocation: Invocation) throws -> (any Database)? {
    guard let url = invocation.value("store") else {
      return access(folder + "/jobs.sqlite", F_OK) == 0 ? try database(invocation) : nil
    }
    if !isServer(url) {
      let path = try path(url)
      if access(path, F_OK) != 0 {
        throw noStore(path, errno == ENOENT || errno == ENOTDIR ? "no store there" : String(cString: strerror(errno)))
      }
      // Before it is opened: that sets its mode and its journal, which is nothing to do to the database of another program.
      guard try SQLiteDatabase.isStore(at: path) else { throw noStore(path, "no store there: it has no tables of reel") }
    }
    let database = try database(invocation, isThere: true)
    if try database.isEmpty() { throw noStore(database.displayName, "no store there: it has no tables of reel") }
    return database
  }

  private static func noStore(_ path: String, _ reason: String) -> MediaError {
    MediaError(
      .missing, "cannot open the store \(path)", path: path, reason: reason,
      advice: "check --store; reel jobs submit and reel worker make a new one")
  }

  /// The metadata log in `database`. Its key stands in `log.key`: beside an SQLite file, else in the state folder.
  static func log(_ database: any Database) throws -> MetadataLog {
    if !(database is SQLiteDatabase) { try makeFolder(folder) }
    let path = keyPath(of: database)
    return try MetadataLog(database: database, masterKey: existingKey(path, of: database) ?? MasterKey.load(path))
  }

  private static func keyPath(of database: any Database) -> String {
    ((database as? SQLiteDatabase).map { parent($0.path) } ?? folder) + "/log.key"
  }

  /// The key of the log; nil when there is neither a key nor a log that it would open. None is made.
  private static func existingKey(_ path: String, of database: any Database) throws -> SecretBytes? {
    let credential = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) + "/reelwright-log-key" }
    if access(path, F_OK) == 0 || credential.map({ access($0, F_OK) == 0 }) ?? false { return try MasterKey.load(path, makes: false) }
    // A new key would not open a log that is there.
    guard try MetadataLog.hasBegun(in: database) else { return nil }
    throw MetadataLogError(
      .configuration, "cannot read the log's key", reason: "\(path) is missing", advice: "restore it from the backup of the store")
  }

  /// The log of the store that the command line names, made where it is missing.
  static func log(_ invocation: Invocation) throws -> MetadataLog { try log(database(invocation)) }

  /// The log of the store that the command line names; nil when the default store has not been made yet.
  static func existingLog(_ invocation: Invocation) throws -> MetadataLog? { try existingDatabase(invocation).map { try log($0) } }

  /// The same for reading: the store is left as it is, also one of an older version, which is an error. nil when nothing was logged yet.
  static func readableLog(_ invocation: Invocation) throws -> MetadataLog? {
    guard let database = try existingDatabase(invocation), try MetadataLog.exists(in: database),
      let key = try existingKey(keyPath(of: database), of: database)
    else { return nil }
    return try MetadataLog(reading: database, masterKey: key)
  }

  private static func isServer(_ url: String) -> Bool { url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") }

  private static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func path(_ url: String) throws -> String {
    guard url.hasPrefix("sqlite:") else {
      guard !url.contains("://") else {
        throw MediaError(
          .usage, "bad option --store", reason: "'\(url.prefix { $0 != ":" })' is not a kind of store", advice: "a path, or postgresql://…")
      }
      return url
    }
    let rest = url.dropFirst("sqlite:".count)
    return String(rest.hasPrefix("//") ? rest.dropFirst(2) : rest)
  }

  /// Makes a folder and those above it, new ones with mode 0700 whatever the umask.
  private static func makeFolder(_ path: String) throws {
    var partial = ""
    for part in path.split(separator: "/") {
      partial += "/" + part
      if mkdir(partial, 0o700) == 0 {
        chmod(partial, 0o700)
      } else if errno != EEXIST {
        throw MediaError(.configuration, "cannot make \(partial)", path: partial, reason: String(cString: strerror(errno)))
      }
    }
  }
}
