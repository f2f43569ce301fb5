import Crypto
import DatabaseTestSupport
import Glibc
import MetadataLog
import Storage
import Synchronization
import Testing

/// A clock that goes when it is told to.
final class FakeClock: WallClock {
  private let time: Mutex<Int64>

  /// - Parameter microseconds: default 2026-01-01T00:00:00Z.
  init(_ microseconds: Int64 = 1_767_225_600_000_000) { time = Mutex(microseconds) }

  func microseconds() -> Int64 { time.withLock { $0 } }

  func advance(seconds: Double) { time.withLock { $0 += Int64(seconds * 1_000_000) } }
}

/// A log in a SQLite file of its own.
final class LogFixture {
  let folder = TemporaryFolder()
  let clock = FakeClock()
  let key = SecretBytes(randomByteCount: 32)
  let database: SQLiteDatabase
  let log: MetadataLog

  init(_ change: (inout MetadataLog.Configuration) -> Void = { _ in }) throws {
    var configuration = MetadataLog.Configuration()
    change(&configuration)
    database = try SQLiteDatabase(path: "\(folder.path)/jobs.sqlite")
    log = try MetadataLog(database: database, masterKey: key, configuration: configuration, clock: clock)
  }

  /// Whether any file of the folder holds `bytes`.
  func filesContain(_ bytes: [UInt8]) -> Bool {
    files().contains { file in file.contains(bytes) }
  }

  func files() -> [[UInt8]] { names().map { Self.read("\(folder.path)/\($0)") } }

  /// What is in the folder.
  func names() -> [String] {
    guard let stream = opendir(folder.path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&portion, 1, portion.count, file), count > 0 { bytes += portion[0..<count] }
    return bytes
  }

  static func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}

extension [UInt8] {
  /// Whether `pattern` occurs (by the C library: these files are searched in debug builds too).
  func contains(_ pattern: [UInt8]) -> Bool {
    guard let first = pattern.first else { return false }
    return withUnsafeBytes { bytes in
      var start = 0
      while start + pattern.count <= bytes.count,
        let found = memchr(bytes.baseAddress! + start, Int32(first), bytes.count - pattern.count - start + 1)
      {
        if memcmp(found, pattern, pattern.count) == 0 { return true }
        start = UnsafeRawPointer(found) - bytes.baseAddress! + 1
      }
      return false
    }
  }
}

/// Some events of every class.
func sampleEvents(job: String = "job1", project: String = "default") -> [LogEvent] {
  [
    LogEvent(.jobSubmitted, project: project, [.job: .text(job), .task: "encode", .label: "Spring ad"]),
    LogEvent(.jobStarted, project: project, [.job: .text(job), .attempt: 1]),
    LogEvent(.jobProgress, project: project, [.job: .text(job), .permille: 500, .frames: 77]),
    LogEvent(
      .jobFinished, project: project,
      [.job: .text(job), .task: "encode", .attempts: 1, .frames: 300, .bytes: 123_456, .mediaMilliseconds: 10_000]),
    LogEvent(
      .outputPublished, project: project,
      [.output: "out1", .digest: .text(SHA256.digest(of: job).hex), .bytes: 123_456, .watermark: "00000000000003e8"]),
    LogEvent(.moderationVerdict, project: project, [.verdict: "allow", .category: "none", .job: .text(job)]),
    LogEvent(.creatorEnrolled, project: project, [.creator: "c1"]),
  ]
}
