import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Encodes that go on from what an earlier attempt finished. One thread and a width of 256, as in `SegmentTests`.
@Suite struct EncodeResumeTests {
  private struct Place {
    let scratch: ScratchFolder
    var folder: String { scratch.path }

    /// - Parameter filter: libavfilter's, after the test pictures.
    init(seconds: Int, filter: String = "null") throws {
      scratch = try ScratchFolder()
      try make("in.mp4", "testsrc2=s=256x144:r=25:d=\(seconds)", filter)
    }

    func make(_ name: String, _ source: String, _ filter: String = "null") throws {
      let made = try Tool.run(
        "ffmpeg",
        [
          "-v", "error", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine=d=2", "-vf", filter, "-fps_mode", "vfr", "-c:v", "libx264",
          "-preset", "ultrafast", "-pix_fmt", "yuv420p", folder + "/" + name,
        ])
      try #require(made.errors == "")
    }

    func encode(_ task: EncodeTask, _ input: String = "in.mp4", to output: String, usesCache: Bool = true) throws -> TaskReport {
      let local = LocalFiles(inputs: ["input": folder + "/" + input], outputs: ["output": folder + "/" + output])
      let cached = CachedFiles(local, cache: try ContentCache(folder: folder + "/cache"))
      var task = task
      task.usesCache = usesCache
      let report = try task.run(in: TaskContext(files: cached, threads: 1))
      cached.finish()
      try local.publish("output", sidecar: nil)
      return report
    }

    /// Decode and presentation time of each packet of the pictures, in order, in seconds.
    func times(_ name: String) throws -> [(decode: Double, show: Double)] {
      try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=dts_time,pts_time", "-of", "csv=p=0", folder + "/" + name
      ).compactMap { line in
        let parts = line.split(separator: ",").compactMap { Double($0) }
        return parts.count == 2 ? (parts[1], parts[0]) : nil
      }
    }

    func isWhole(_ name: String) throws -> Bool {
      try Tool.run("ffmpeg", ["-v", "error", "-i", folder + "/" + name, "-f", "null", "-"]).errors == ""
    }

    func isSame(_ first: String, _ second: String) -> Bool {
      let bytes = Tool.bytes(of: folder + "/" + first)
      return !bytes.isEmpty && bytes == Tool.bytes(of: folder + "/" + second)
    }

    /// Entries of the cache that hold pictures.
    func runs() throws -> [String] {
      try Tool.lines("find", folder + "/cache", "-type", "f", "-size", "+4k").filter { !$0.isEmpty }
    }
  }

  private func fast(_ codec: String = "h264") -> EncodeTask {
    var task = EncodeTask()
    task.codec = codec
    task.outputExtension = codec == "vp9" ? "webm" : "mp4"
    task.speed = "ultrafast"
    return task
  }

  /// The packets stand in the order of decoding, and are shown when a plain encode shows them.
  private func expectSameTimes(_ place: Place, _ name: String, as plain: String) throws {
    let times = try place.times(name)
    #expect(times.map(\.show).sorted() == (try place.times(plain)).map(\.show).sorted())
    #expect(zip(times, times.dropFirst()).allSatisfy { $0.decode < $1.decode } && times.allSatisfy { $0.decode <= $0.show })
  }

  @Test("what was finished is not encoded again, and the bytes are those of an encode that was not broken off")
  func finishedRunsAreTaken() throws {
    let place = try Place(seconds: 32)
    var task = fast()
    task.speed = "veryfast"
    let first = try place.encode(task, to: "whole.mp4")
    #expect(first.frames["encoded"] == 800 && first.frames["fromCache"] == nil)
    let second = try place.encode(task, to: "again.mp4")
    #expect(second.frames["encoded"] == nil && second.frames["fromCache"] == 800)
    #expect(place.isSame("whole.mp4", "again.mp4"))
    // As after a death: the later runs are not there.
    let runs = try place.runs()
    #expect(runs.count == 4)
    for path in runs.dropFirst(2) { unlink(path) }
    let third = try place.encode(task, to: "resumed.mp4")
    let encoded = try #require(third.frames["encoded"])
    #expect(encoded > 0 && encoded < 800 && third.frames["fromCache"] == 800 - encoded)
    #expect(place.isSame("whole.mp4", "resumed.mp4"))
    #expect(try place.isWhole("whole.mp4"))
    let plain = try place.encode(task, to: "plain.mp4", usesCache: false)
    #expect(plain.frames["encoded"] == 800)
    try expectSameTimes(place, "whole.mp4", as: "plain.mp4")
  }

  @Test("a damaged entry is passed over, with a warning")
  func damagedRun() throws {
    let place = try Place(seconds: 12)
    _ = try place.encode(fast(), to: "whole.mp4")
    let run = try #require(try place.runs().first)
    var bytes = Tool.bytes(of: run)
    bytes[bytes.count / 2] ^= 1
    let file = try #require(fopen(run, "wb"))
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    let report = try place.encode(fast(), to: "again.mp4")
    #expect(report.warnings.contains { $0.contains("damaged entry") })
    #expect(place.isSame("whole.mp4", "again.mp4"))
  }

  @Test("a variable rate is kept by every codec, with the cache and without", arguments: ["h264", "hevc", "vp9", "av1"])
  func variableRate(_ codec: String) throws {
    let place = try Place(seconds: 3, filter: "select='not(between(mod(n,17),3,5))'")
    func shown(_ name: String) throws -> [Double] { try place.times(name).map(\.show).sorted() }
    let source = try shown("in.mp4")
    #expect(Set(zip(source, source.dropFirst()).map { (($1 - $0) * 1000).rounded() }).count > 1)
    for usesCache in [true, false] {
      let name = "out\(usesCache)." + (codec == "vp9" ? "webm" : "mp4")
      _ = try place.encode(fast(codec), to: name, usesCache: usesCache)
      #expect(try place.isWhole(name))
      let times = try shown(name)
      #expect(times.count == source.count)
      // WebM counts milliseconds.
      for (time, wanted) in zip(times, source) { #expect(abs(time - times[0] - (wanted - source[0])) < 0.001) }
    }
  }

  @Test("another input, range, filter or quality is another encode")
  func otherWork() throws {
    let place = try Place(seconds: 3)
    try place.make("other.mp4", "testsrc=s=256x144:r=25:d=3")
    _ = try place.encode(fast(), to: "a.mp4")
    #expect(try place.encode(fast(), "other.mp4", to: "b.mp4").frames["fromCache"] == nil)
    var changes: [EncodeTask] = []
    for change in [
      { $0.crf = 30 }, { $0.filter = "hflip" }, { $0.trimStart = .time(MediaTime(Rational(1))) }, { $0.keep = [.range] },
    ] as [(inout EncodeTask) -> Void] {
      var task = fast()
      change(&task)
      changes.append(task)
    }
    for (index, task) in changes.enumerated() {
      #expect(try place.encode(task, to: "c\(index).mp4").frames["fromCache"] == nil)
    }
    #expect(try place.encode(fast(), to: "d.mp4").frames["fromCache"] == 75)
  }

  @Test(
    "codecs whose segments cannot follow each other are encoded in one go, by encodes and renders with a cache", arguments: ["hevc", "av1"])
  func encodedInOneGo(_ codec: String) throws {
    let place = try Place(seconds: 2)
    let report = try place.encode(fast(codec), to: "out.mp4")
    #expect(report.frames["encoded"] == 50 && report.frames["fromCache"] == nil)
    #expect(try place.isWhole("out.mp4"))
    let document = """
      {"reel": 1, "canvas": {"width": 256, "height": 144, "frameRate": "25"}, "sequence": [{"media": "in.mp4"}],
       "output": {"codec": "\(codec)", "speed": "ultrafast"}}
      """
    var task = RenderTask(document: document, documentName: "d.json")
    task.usesCache = true
    let local = LocalFiles(inputs: ["in.mp4": place.folder + "/in.mp4"], outputs: ["output": place.folder + "/render.mp4"])
    let cached = CachedFiles(local, cache: try ContentCache(folder: place.folder + "/cache"))
    let rendered = try task.run(in: TaskContext(files: cached, threads: 1))
    try local.publish("output", sidecar: nil)
    #expect(rendered.outputs[0].frames == 50)
    #expect(try place.isWhole("render.mp4"))
  }

  @Test("variable times, and every codec whose segments can follow each other", arguments: ["h264", "vp9"])
  func timesAreKept(_ codec: String) throws {
    let place = try Place(seconds: 20, filter: "select='mod(n\\,7)*mod(n\\,5)'")
    let task = fast(codec)
    let name = "out." + (task.outputExtension ?? "")
    _ = try place.encode(task, to: name)
    #expect(try place.runs().count >= 2)
    _ = try place.encode(task, to: "plain." + name, usesCache: false)
    try expectSameTimes(place, name, as: "plain." + name)
    #expect(try place.isWhole(name))
    #expect(try place.encode(task, to: "again." + name).frames["encoded"] == nil)
  }
}
