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

  /// The database that `--store` names; by default `jobs.sqlite` in the state folder, which is made with mode 0700.
  static func database(_ invocation: Invocation) throws -> any Database {
    guard let url = invocation.value("store") else {
      try makeFolder(folder)
      return try SQLiteDatabase(path: folder + "/jobs.sqlite")
    }
    if url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") {
      return try PostgreSQLDatabase(PostgreSQLConfiguration(url: url))
    }
    return try SQLiteDatabase(path: path(url))
  }

  /// The metadata log in `database`. Its key stands in `log.key`: beside an SQLite file, else in the state folder.
  static func log(_ database: any Database) throws -> MetadataLog {
    let place: String
    if let file = database as? SQLiteDatabase {
      place = file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } ?? "."
    } else {
      try makeFolder(folder)
      place = folder
    }
    return try MetadataLog(database: database, masterKey: MasterKey.load(place + "/log.key"))
  }

  /// The log of the store that the command line names.
  static func log(_ invocation: Invocation) throws -> MetadataLog { try log(database(invocation)) }

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
