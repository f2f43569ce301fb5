internal import CSQLite

extension StorageError {
  /// The error for a SQLite result code.
  static func sqlite(_ result: Int32, _ operation: String, path: String, message: String?) -> StorageError {
    let reason = message ?? String(cString: sqlite3_errstr(result))
    switch result & 0xff {
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
      return StorageError(.busy, operation, path: path, reason: reason, advice: "another process is writing; try again")
    case SQLITE_FULL:
      return StorageError(.full, operation, path: path, reason: reason, advice: "free some space; nothing was lost")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      return StorageError(.corrupt, operation, path: path, reason: reason, advice: SQLiteDatabase.recoveryAdvice(path))
    case SQLITE_CANTOPEN: return StorageError(.cannotOpen, operation, path: path, reason: reason, advice: "check the path and its folder")
    case SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH: return StorageError(.denied, operation, path: path, reason: reason)
    case SQLITE_CONSTRAINT: return StorageError(.constraint, operation, path: path, reason: reason)
    case SQLITE_IOERR, SQLITE_NOMEM: return StorageError(.io, operation, path: path, reason: reason)
    case SQLITE_INTERRUPT: return StorageError(.interrupted, operation, path: path, reason: reason)
    default: return StorageError(.misuse, operation, path: path, reason: reason)
    }
  }
}
