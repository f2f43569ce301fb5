internal import CSQLite
import Glibc

extension SQLiteDatabase {
  /// Whether the file at `path` is a database with tables of this library, of any version. It stays as it is, with its mode and its
  /// journal, and no file is made beside it. Call it before this process opens the database: it may end locks on it.
  ///
  /// - Throws: `cannotOpen`, `denied`, `corrupt` when it is no SQLite database, `busy`, `io`.
  public static func isStore(at path: String) throws(StorageError) -> Bool {
    guard let header = try header(path) else { return false }
    guard header.count == 20, header.starts(with: "SQLite format 3\0".utf8) else {
      throw StorageError(
        .corrupt, "cannot open the store", path: path, reason: "the file is not a database", advice: recoveryAdvice(path))
    }
    // Bytes 18 and 19 are 2 for a database with a WAL (SQLite's file format, 1.3). Without that file nobody has it open: it
    // is read as one that does not change, since SQLite would make a WAL beside it.
    let isAlone = header[19] == 2 && !hasLog(path)
    do throws(StorageError) { return try hasVersions(path, isImmutable: isAlone) } catch {
      // Somebody has opened it meanwhile, and may have changed it under our eyes.
      guard isAlone, hasLog(path) else { throw error }
      return try hasVersions(path, isImmutable: false)
    }
  }

  private static func hasLog(_ path: String) -> Bool {
    var status = stat()
    return stat(path + "-wal", &status) == 0 && status.st_size > 0
  }

  /// The first 20 bytes, or fewer; nil for an empty file.
  private static func header(_ path: String) throws(StorageError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("cannot open the store", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw StorageError(.cannotOpen, "cannot open the store", path: path, reason: "it is not a regular file")
    }
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw failure("cannot read the store", path) }
    return count == 0 ? nil : Array(bytes.prefix(count))
  }

  private static func hasVersions(_ path: String, isImmutable: Bool) throws(StorageError) -> Bool {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_URI
    var result = sqlite3_open_v2(address(path) + (isImmutable ? "?immutable=1" : ""), &opened, flags, nil)
    defer { sqlite3_close_v2(opened) }
    func problem() -> StorageError {
      .sqlite(result, "cannot open the store", path: path, message: opened.map { String(cString: sqlite3_errmsg($0)) })
    }
    guard result == SQLITE_OK, let handle = opened else { throw problem() }
    sqlite3_busy_timeout(handle, 10_000)
    // Other programs have tables of this name too.
    let sql = "SELECT count(*) FROM pragma_table_info('schema_version') WHERE name IN ('module', 'version')"
    var statement: OpaquePointer?
    result = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    defer { sqlite3_finalize(statement) }
    guard result == SQLITE_OK else { throw problem() }
    result = sqlite3_step(statement)
    guard result == SQLITE_ROW else { throw problem() }
    return sqlite3_column_int(statement, 0) == 2
  }

  /// `path` as a URI.
  private static func address(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes = Array("file:".utf8)
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
