import Glibc

extension SQLiteDatabase {
  /// Where `backUp` puts its copy: beside the file, called like it with `.backup`.
  static func backupPath(_ path: String) -> String { path + ".backup" }

  static func recoveryAdvice(_ path: String) -> String {
    let backup = backupPath(path)
    if access(backup, F_OK) == 0 {
      return "stop all workers, move it with its -wal and -shm away and put its backup in its place: \(backup)"
    }
    return "there is no backup beside it; move it with its -wal and -shm away to start with an empty store"
  }

  /// Copies the database as it is at this moment, whole and durable, in the place of an earlier copy. Readers and writers go on meanwhile.
  ///
  /// - Throws: `full`, `io`, `corrupt` when a page cannot be read; then the earlier copy stays.
  public func backUp() throws(StorageError) {
    let final = SQLiteDatabase.backupPath(path)
    let partial = final + ".partial"
    unlink(partial)
    // Made here for its mode; SQLite fills an empty file.
    let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SQLiteDatabase.failure("cannot back up the store", partial) }
    defer { close(descriptor) }
    do throws(StorageError) {
      let connection = try SQLiteConnection(path: path, configuration: SQLiteConfiguration(), readOnly: false)
      try connection.run("VACUUM INTO '\(partial.replacing("'", with: "''"))'")
      let folder = open(SQLiteDatabase.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard folder >= 0 else { throw SQLiteDatabase.failure("cannot back up the store", final) }
      defer { close(folder) }
      guard fsync(descriptor) == 0, rename(partial, final) == 0, fsync(folder) == 0 else {
        throw SQLiteDatabase.failure("cannot back up the store", final)
      }
    } catch {
      unlink(partial)
      throw error
    }
  }

  /// Makes a copy when there is none, or the one there is older than `seconds`. Returns whether it made one.
  @discardableResult
  public func backUp(olderThan seconds: Int) throws(StorageError) -> Bool {
    var status = stat()
    if lstat(SQLiteDatabase.backupPath(path), &status) == 0, time(nil) - status.st_mtim.tv_sec < seconds { return false }
    try backUp()
    return true
  }

  /// Removes the copy: what was erased from the database must not live on in it.
  public func discardBackup() { unlink(SQLiteDatabase.backupPath(path)) }
}
