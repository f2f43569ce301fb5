import Glibc

extension SQLiteDatabase {
  /// Creates folder and file with the modes promised, and makes their names durable: SQLite syncs the folder for its
  /// journals, not for the database itself.
  static func prepareFile(_ path: String) throws(StorageError) {
    let folder = folder(of: path)
    if mkdir(folder, 0o700) == 0 {
      chmod(folder, 0o700)
    } else if errno != EEXIST {
      throw failure("cannot create the store's folder", folder)
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("cannot open the store", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw StorageError(.cannotOpen, "cannot open the store", path: path, reason: "it is not a regular file")
    }
    // The WAL and its index take their mode from the database file.
    if status.st_mode & 0o777 != 0o600 { fchmod(descriptor, 0o600) }
    if status.st_size == 0 {
      let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard directory >= 0 else { throw failure("cannot open the store's folder", folder) }
      defer { close(directory) }
      guard fsync(directory) == 0 else { throw failure("cannot sync the store's folder", folder) }
    }
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func failure(_ operation: String, _ path: String) -> StorageError {
    let code: StorageError.Code = errno == EACCES || errno == EPERM ? .denied : errno == ENOSPC || errno == EDQUOT ? .full : .cannotOpen
    return StorageError(code, operation, path: path, reason: String(cString: strerror(errno)))
  }
}
