import DatabaseTestSupport
import FoundationEssentials
import Glibc
import Storage
import TestBasics
import Testing

@testable import Jobs

/// The power fails at every write, flush and change of a name while jobs are enqueued, run, published and finished. What
/// was acknowledged is there.
@Suite struct PowerLossTests {
  private let folder = TemporaryFolder()

  private func record(_ count: Int) throws -> DiskReplay {
    let worker = builtProgram("storm-worker")
    mkdir(folder.path + "/live", 0o700)
    let texts: [String] = [worker, "record", folder.path + "/live", folder.path + "/journal", "\(count)"]
    var arguments = texts.map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    try #require(posix_spawn(&child, worker, nil, nil, &arguments, environ) == 0)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    try #require(status == 0)
    let journal = FileManager.default.contents(atPath: folder.path + "/journal")
    return DiskReplay(journal: Array(try #require(journal)))
  }

  /// One job a round, two when REELWRIGHT_SLOW is 1.
  @Test func nothingAcknowledgedIsLost() throws {
    let count = getenv("REELWRIGHT_SLOW").map { String(cString: $0) } == "1" ? 2 : 1
    let replay = try record(count)
    let marks = replay.steps.count { if case .mark = $0 { true } else { false } }
    // The recording saw the libraries' calls too, and the work was done: 2 rounds, each job submitted and done.
    #expect(replay.steps.count > 100 && marks == 1 + 4 * count)
    var acknowledged: [String] = []
    var problems: [String] = []
    for (index, step) in replay.steps.enumerated() {
      if case .mark(let text) = step { acknowledged.append(text) }
      // Nothing was promised before the store stood.
      guard !acknowledged.isEmpty else { continue }
      for keep in [DiskReplay.Keep.nothing, .some(seed: UInt64(index))] {
        problems += try check(replay.files(after: index + 1, keep), acknowledged).map { "after step \(index) (\(keep)): \($0)" }
      }
    }
    #expect(problems.isEmpty, "\(problems.prefix(10))")
  }

  private func check(_ files: [String: [UInt8]], _ acknowledged: [String]) throws -> [String] {
    let disk = TemporaryFolder()
    let live = folder.path + "/live/"
    for name in ["state", "out"] { mkdir("\(disk.path)/\(name)", 0o700) }
    for (path, bytes) in files where path.hasPrefix(live) && !path.contains("-shm") {
      let place = "\(disk.path)/\(path.dropFirst(live.count))"
      // Folders that runners make for themselves are not part of what is promised.
      _ = FileManager.default.createFile(atPath: place, contents: Data(bytes))
    }
    let database = try SQLiteDatabase(path: disk.path + "/state/jobs.sqlite")
    guard try database.read({ try $0.query("PRAGMA integrity_check") }).first?.text(0) == "ok" else { return ["the store is damaged"] }
    let store = try JobStore(database: database)
    var problems: [String] = []
    for text in acknowledged {
      let words = text.split(separator: " ")
      guard words.count == 2, let id = JobID(String(words[1])) else { continue }
      guard let job = try store.job(id) else {
        problems.append("job \(id) is lost")
        continue
      }
      if words[0] == "done", job.state != .done { problems.append("job \(id) was done and is \(job.state)") }
    }
    // Whatever says that it is done has its output, whole, with its sidecar.
    for job in try store.jobs() where job.state == .done {
      let path = job.spec.outputs["out"].map { "\(disk.path)/\($0.dropFirst(live.count))" } ?? ""
      let content = (0..<8).flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: job.id.rawValue * 8 + $0), count: 4096) }
      if Publication.contents(path) != content { problems.append("the output of job \(job.id) is torn or missing") }
      if Publication.contents(path + ".sidecar.json")?.isEmpty != false { problems.append("the sidecar of job \(job.id) is missing") }
    }
    return problems
  }
}
