import DatabaseTestSupport
import Glibc
import Storage
import TestBasics
import Testing

@Suite struct SQLiteDatabaseTests {
  let folder = TemporaryFolder()
  var path: String { folder.path + "/state/jobs.sqlite" }

  struct Refusal: Error {}

  private func database() throws -> SQLiteDatabase {
    let database = try SQLiteDatabase(path: path)
    try database.migrate(
      module: "test",
      [Migration(1) { ["CREATE TABLE item(id BIGINT PRIMARY KEY, name TEXT NOT NULL, body \($0.blobType), weight DOUBLE PRECISION)"] }])
    return database
  }

  @Test func wrongNumberOfValuesIsRefused() throws {
    let database = try database()
    #expect(throws: StorageError.self) { try database.read { try $0.query("SELECT $1", []) } }
    #expect(throws: StorageError.self) { try database.read { try $0.query("SELECT $1", [1, 2]) } }
  }

  /// Writers on many threads share commits; each succeeds or fails by itself.
  @Test func groupedWritersFailAlone() throws {
    let database = try database()
    try runThreads(8) { thread in
      for round in 0..<50 {
        let id = thread * 1000 + round
        let wrote: Bool? = try? database.write(.crashSafe) { transaction in
          try transaction.execute("INSERT INTO item(id, name) VALUES ($1, 'x')", [.integer(id)])
          if round % 3 == 0 { throw Refusal() }
          return true
        }
        precondition((wrote == nil) == (round % 3 == 0), "round \(round): \(String(describing: wrote))")
      }
    }
    let expected = 8 * (0..<50).count { $0 % 3 != 0 }
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item") } == Int64(expected))
    #expect(try database.read { try $0.integer("SELECT count(*) FROM item WHERE (id % 1000) % 3 = 0") } == 0)
  }

  @Test func modesHoldWhateverTheUmask() throws {
    let old = umask(0)
    defer { umask(old) }
    let database = try database()
    _ = try database.doorbell("jobs")
    for name in ["", "-wal", "-shm", "-bell-jobs"] {
      var status = stat()
      #expect(stat(path + name, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
    var status = stat()
    #expect(stat(folder.path + "/state", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
  }

  @Test func damagedFileIsNamed() throws {
    try database().write { _ = try $0.execute("INSERT INTO item(id, name) VALUES (1, 'a')") }
    let descriptor = open(path, O_WRONLY)
    let noise = [UInt8](repeating: 0x5a, count: 100)
    _ = pwrite(descriptor, noise, noise.count, 0)
    close(descriptor)
    let error = #expect(throws: StorageError.self) { try self.database() }
    #expect(error?.code == .corrupt)
    #expect(error?.advice?.contains("no backup") == true)
  }

  @Test func backupReplacesADamagedFile() throws {
    do {
      let database = try database()
      try database.write { _ = try $0.execute("INSERT INTO item(id, name) VALUES (1, 'a')") }
      #expect(try database.backUp(olderThan: 60))
      #expect(try !database.backUp(olderThan: 60))
      try database.write { _ = try $0.execute("INSERT INTO item(id, name) VALUES (2, 'b')") }
      // In the middle of others' work, and again over the earlier one.
      try runThreads(2) { thread in
        #expect(throws: Never.self) {
          if thread == 0 { return try database.backUp() }
          for id in 10..<40 { try database.write { _ = try $0.execute("INSERT INTO item(id, name) VALUES (\(id), 'c')") } }
        }
      }
    }
    var status = stat()
    #expect(lstat(path + ".backup", &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(access(path + ".backup.partial", F_OK) != 0)
    let descriptor = open(path, O_WRONLY)
    let noise = [UInt8](repeating: 0x5a, count: 100)
    _ = pwrite(descriptor, noise, noise.count, 0)
    close(descriptor)
    let error = #expect(throws: StorageError.self) { try self.database() }
    #expect(error?.advice?.contains(path + ".backup") == true)
    for name in [path, path + "-wal", path + "-shm"] { unlink(name) }
    #expect(rename(path + ".backup", path) == 0)
    #expect(try database().read { try $0.integer("SELECT count(*) FROM item WHERE id < 10") } == 2)
  }

  @Test func symbolicLinkIsRefused() throws {
    mkdir(folder.path + "/state", 0o700)
    symlink("/etc/passwd", path)
    #expect(throws: StorageError.self) { try self.database() }
  }

  @Test func bellsRingAfterCommitOnly() throws {
    let database = try database()
    let other = try SQLiteDatabase(path: path)
    let bell = try other.doorbell("jobs")
    #expect(throws: Refusal.self) {
      try database.write { transaction in
        try transaction.ring("jobs")
        throw Refusal()
      }
    }
    #expect(!bell.wait(milliseconds: 0))
    try database.write { try $0.ring("jobs") }
    #expect(bell.wait(milliseconds: 10_000))
    bell.wake()
    #expect(bell.wait(milliseconds: 10_000))
    #expect(!bell.wait(milliseconds: 0))
  }

  @Test func sessionLocksAreFreedWithTheirOwner() throws {
    let database = try database()
    var lock = try database.sessionLock(77)
    #expect(lock != nil)
    #expect(try database.sessionLock(77) == nil)
    #expect(try database.write { try $0.takeLock(77) } == false)
    lock = nil
    #expect(try database.write { try $0.takeLock(77) })
    #expect(try database.sessionLock(77) != nil)
  }
}
