extension StorageError {
  /// The error for a SQLSTATE (PostgreSQL 15, appendix A).
  static func postgreSQL(_ state: String?, alive: Bool, _ operation: String, path: String, message: String) -> StorageError {
    let reason = message.split(whereSeparator: \.isNewline).joined(separator: "; ")
    guard alive, let state else { return StorageError(.connectionLost, operation, path: path, reason: reason) }
    switch state {
    case "57P01", "57P02", "57P03": return StorageError(.connectionLost, operation, path: path, reason: reason)
    case "40001", "40P01": return StorageError(.conflict, operation, path: path, reason: reason)
    case "55P03": return StorageError(.busy, operation, path: path, reason: reason)
    case "57014": return StorageError(.interrupted, operation, path: path, reason: reason)
    case "53100":
      return StorageError(.full, operation, path: path, reason: reason, advice: "free some space on the server; nothing was lost")
    case "42501", "25006": return StorageError(.denied, operation, path: path, reason: reason)
    case "3D000": return StorageError(.cannotOpen, operation, path: path, reason: reason, advice: "create the database")
    case "XX001", "XX002": return StorageError(.corrupt, operation, path: path, reason: reason, advice: "restore the server's backup")
    default: break
    }
    switch state.prefix(2) {
    case "08": return StorageError(.connectionLost, operation, path: path, reason: reason)
    case "23": return StorageError(.constraint, operation, path: path, reason: reason)
    case "28": return StorageError(.denied, operation, path: path, reason: reason)
    case "53": return StorageError(.busy, operation, path: path, reason: reason, advice: "the server is out of resources")
    case "58": return StorageError(.io, operation, path: path, reason: reason)
    default: return StorageError(.misuse, operation, path: path, reason: reason)
    }
  }
}
