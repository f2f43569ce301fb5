import DatabaseTestSupport
import FoundationEssentials
import Glibc
import PositionedJSON
import Storage
import TestBasics
import Testing

@testable import Jobs

private func setting(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

/// Renders and encodes whose worker is killed go on where they were.
@Suite(.serialized) struct ResumeTests {
  /// Eight segments of 0.8 s.
  private static let document: String = {
    let images = ["grapefruit_slices.jpg", "peacock.jpg", "sunset_hummingbird.jpg", "wave_and_surfer.jpg"]
    let items = (images + images).map { #"{"image": "\#($0)", "duration": "0.8s", "fit": "cover"}"# }
    return #"{"reel": 1, "canvas": {"width": 640, "height": 360, "frameRate": "25"}, "sequence": [\#(items.joined(separator: ","))]}"#
  }()

  private let folder = TemporaryFolder()
  private let store: JobStore
  private let address: String

  init() throws {
    address = folder.path + "/state/jobs.sqlite"
    let database = try SQLiteDatabase(path: address)
    try database.migrate(module: "storm", [Migration(1) { _ in ["CREATE TABLE storm_event(job BIGINT NOT NULL, state BIGINT NOT NULL)"] }])
    store = try JobStore(database: database)
    mkdir(folder.path + "/worker", 0o700)
  }

  enum Work: String, CaseIterable {
    case render, encode

    /// Entries of the cache besides segments: the digests of the inputs.
    var otherEntries: Int { self == .render ? 4 : 1 }
  }

  private func submit(_ work: Work, _ name: String) throws -> JobID {
    var spec = JobSpec(kind: work.rawValue)
    spec.slotClass = "encode"
    spec.crashLimit = 1000
    spec.outputs = ["output": "\(folder.path)/\(name).mp4"]
    if work == .encode {
      // Eight runs of ten seconds.
      spec.inputs = ["input": try clip()]
      spec.payload = Array(#"{"speed": "slow"}"#.utf8)
      return try store.submit(spec).id
    }
    let payload = JSON.object([("document", .string(ResumeTests.document)), ("documentName", .string("resume.reel"))])
    spec.payload = Array(payload.text(indent: nil).utf8)
    let media = PendingFile.split(PendingFile.split(PendingFile.split(#filePath).folder).folder).folder + "/Samples/ad/media/"
    for name in ["grapefruit_slices.jpg", "peacock.jpg", "sunset_hummingbird.jpg", "wave_and_surfer.jpg"] {
      spec.inputs[name] = media + name
    }
    return try store.submit(spec).id
  }

  private func clip() throws -> String {
    let path = folder.path + "/clip.mp4"
    if access(path, F_OK) == 0 { return path }
    let arguments = [
      "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=256x144:r=25:d=78", "-c:v", "libx264", "-preset", "ultrafast",
      "-pix_fmt", "yuv420p", path,
    ]
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    var status: Int32 = -1
    guard posix_spawnp(&child, "ffmpeg", nil, nil, &pointers, environ) == 0, waitpid(child, &status, 0) == child, status == 0 else {
      throw JobsError(.io, "cannot make \(path)", reason: "ffmpeg ended with \(status)")
    }
    return path
  }

  private func spawn() throws -> pid_t {
    let path = builtProgram("storm-media-worker")
    // Seed 0: it does not die by itself.
    var arguments = ([path, address, folder.path, "0", "30"] as [String]).map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    guard posix_spawn(&child, path, nil, nil, &arguments, environ) == 0 else {
      throw JobsError(.io, "cannot start \(path)", reason: String(cString: strerror(errno)))
    }
    return child
  }

  private func segments(_ work: Work, of id: JobID) -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/worker/scratch/\(id)/segments")) ?? []
    return max(0, names.count { $0.utf8.count == 64 } - work.otherEntries)
  }

  /// How many pieces the job's last attempt encoded, and how many there are.
  private func pieces(_ work: Work, of id: JobID) throws -> (encoded: Int, all: Int) {
    let job = try #require(try store.job(id))
    #expect(job.state == .done, "\(job.failure?.message ?? "")")
    let report = try JSONParser.parse(job.result ?? [], source: JSONSource("report"))
    if work == .encode {
      let frames = report.asObject?.first { $0.key == "frames" }?.node.asObject ?? []
      let counts = ["encoded", "fromCache"].map { name in frames.first { $0.key == name }?.node.asNumber?.integer ?? 0 }
      return (Int(counts[0] + 249) / 250, Int(counts[0] + 249) / 250 + Int(counts[1] + 249) / 250)
    }
    let list = report.asObject?.first { $0.key == "segments" }?.node.asArray ?? []
    let actions = list.compactMap { $0.asObject?.first { $0.key == "action" }?.node.asString }
    return (actions.count { $0 == "encode" }, actions.count)
  }

  private func finish() throws {
    let child = try spawn()
    var status: Int32 = 0
    waitpid(child, &status, 0)
    #expect(status == 0)
  }

  /// REELWRIGHT_RESUME_POINTS says at how many points.
  @Test(.enabled(if: setting("REELWRIGHT_RESUME_POINTS") != nil, "set REELWRIGHT_RESUME_POINTS"), arguments: Work.allCases)
  func killedWorkEncodesAtMostOneSegmentAgain(_ work: Work) throws {
    let whole = try submit(work, "whole")
    try finish()
    let reference = try #require(try store.outputs(of: whole).first)
    let all = try pieces(work, of: whole)
    #expect(all.all == 8 && all.encoded == 8)
    let points = setting("REELWRIGHT_RESUME_POINTS") ?? 3
    var kept: [Int] = []
    for point in 0..<points {
      let id = try submit(work, "killed-\(point)")
      let child = try spawn()
      // Dies when so many segments are there, and a bit later each time: any moment of the next one.
      let wanted = point % 8
      while segments(work, of: id) < wanted, try store.job(id)?.state.isFinal == false { usleep(5000) }
      usleep(UInt32(point / 8 % 13) * 15_000)
      kill(child, SIGKILL)
      var status: Int32 = 0
      waitpid(child, &status, 0)
      // What the dead worker's own process had not finished is gone with it.
      usleep(50_000)
      let wasDone = try store.job(id)?.state == .done
      // Between link and commit the output is there: the next attempt adopts it with the report of the one that made it.
      let wasPublished = access("\(folder.path)/killed-\(point).mp4", F_OK) == 0
      let before = segments(work, of: id)
      try finish()
      let output = try #require(try store.outputs(of: id).first)
      #expect(output.sha256 == reference.sha256)
      if wasDone || wasPublished { continue }
      kept.append(before)
      // Everything that had been finished is taken as it is: encoded again is at most the one under way.
      let found = try pieces(work, of: id)
      #expect(found.encoded <= found.all - min(found.all, before), "\(before) were there, \(found.encoded) encoded")
    }
    print("resume \(work): \(points) deaths, \(kept.count) before the end; segments there at the death: \(kept)")
  }
}
