import Composition
import Crypto
import FileAccess
import Glibc
import MediaCore
import MediaTasks
import Pipeline
import Synchronization
import TestSupport
import Testing

/// Copies, cached pieces and encoded ones in one file. The oracles are FFmpeg's packet hashes and its SSIM.
///
/// One thread and a width of 256: at others libx264 164 reads memory that it has not written (its macroblock tree, in assembly), and its
/// bytes differ from run to run.
@Suite struct SegmentTests {
  /// Two clips with a keyframe every 15 frames and B pictures, and an unsuited one.
  private struct Clips: @unchecked Sendable {
    let scratch: ScratchFolder
    var folder: String { scratch.path }

    init() throws {
      scratch = try ScratchFolder()
      for (name, source, more) in [
        ("a", "testsrc2=s=256x480:r=30:d=3", ["-g", "15"]), ("b", "mandelbrot=s=256x480:r=30:end_pts=90,trim=end=3", ["-g", "15"]),
        ("c", "testsrc=s=256x480:r=25:d=3", ["-g", "250"]),
        // Another meaning of the same parameter set numbers.
        ("d", "testsrc2=s=256x480:r=30:d=3", ["-g", "15", "-refs", "5", "-x264-params", "weightp=0:cabac=0"]),
      ] {
        let made = try Tool.run(
          "ffmpeg",
          ["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-threads", "1"] + more + [
            "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
            folder + "/\(name).mp4",
          ])
        try #require(made.errors == "")
      }
      let logo = try Tool.run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", folder + "/logo.png"])
      try #require(logo.errors == "")
    }

    func document(_ second: String = "b.mp4", transition: String = "crossfade", overlays: String = "") -> String {
      """
      { "reel": 1, "canvas": { "width": 256, "height": 480, "frameRate": 30 },
        "sequence": [ { "media": "a.mp4" }, { "transition": "\(transition)", "duration": "0.4s" }, { "media": "\(second)" } ],
        \(overlays) "output": { "preset": "standard", "speed": "veryfast", "crf": 18 } }
      """
    }

    func files(_ output: String) -> LocalFiles {
      let names = ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "logo.png"]
      return LocalFiles(
        inputs: Dictionary(uniqueKeysWithValues: names.map { ($0, folder + "/" + $0) }),
        outputs: ["output": folder + "/" + output], mayReplace: true)
    }

    /// Renders into `output`; with a cache in `cache` where one is named.
    func render(_ document: String, to output: String, copies: Bool, cache: String? = nil, harm: ((String) -> Void)? = nil) throws
      -> TaskReport
    {
      var task = RenderTask(document: document, documentName: "ad.reel.json")
      task.copiesPackets = copies
      task.usesCache = cache != nil
      let local = files(output)
      var files: any Files = local
      var cached: CachedFiles?
      if let cache {
        cached = CachedFiles(local, cache: try ContentCache(folder: folder + "/" + cache))
        files = cached!
        if let harm { files = HarmedFiles(files) { harm(folder + "/" + cache) } }
      }
      let report = try task.run(in: TaskContext(files: files, threads: 1))
      cached?.finish()
      try local.publish("output", sidecar: nil)
      return report
    }

    /// MD5 of the packets of the pictures, in decoding order.
    func packets(_ name: String) throws -> [String] {
      try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash",
        "-of", "csv=p=0", folder + "/" + name
      ).filter { !$0.isEmpty }
    }

    /// The SSIM of the worst frame.
    func worstSSIM(_ first: String, _ second: String) throws -> Double {
      let lines = try Tool.run(
        "ffmpeg",
        [
          "-v", "error", "-i", folder + "/" + first, "-i", folder + "/" + second, "-lavfi", "[0:v][1:v]ssim=stats_file=-", "-f", "null",
          "-",
        ]
      ).output.split(separator: "\n")
      let values = lines.compactMap { $0.split(separator: " ").first { $0.hasPrefix("All:") }.flatMap { Double($0.dropFirst(4)) } }
      return try #require(values.min())
    }

    /// SHA-256 of a file: a failed comparison of the bytes themselves would look for their differences for minutes.
    func digest(_ name: String) -> String { SHA256.digest(of: Tool.bytes(of: folder + "/" + name)).hex }
  }

  @Test func copiedPacketsAreTheSourcesAndFramesThoseOfAFullRender() throws {
    let clips = try Clips()
    let report = try clips.render(clips.document(), to: "smart.mp4", copies: true)
    let full = try clips.render(clips.document(), to: "full.mp4", copies: false)
    #expect(full.segments?.map(\.action) == ["encode"])
    let segments = try #require(report.segments)
    #expect(segments.map(\.action) == ["copy", "encode", "copy"])
    let packets = try clips.packets("smart.mp4")
    #expect(packets.count == 168)
    for (segment, source) in [(segments[0], "a.mp4"), (segments[2], "b.mp4")] {
      let own = Array(packets[segment.from..<segment.to])
      let theirs = try clips.packets(source)
      // A run stands in its source as it stands in the output.
      let start = try #require(theirs.firstIndex(of: own[0]))
      #expect(own == Array(theirs[start..<start + own.count]))
    }
    #expect(try Oracle.videoFrameCount(clips.folder + "/smart.mp4") == 168)
    #expect(try Tool.run("ffmpeg", ["-v", "warning", "-i", clips.folder + "/smart.mp4", "-f", "null", "-"]).errors == "")
    #expect(try clips.worstSSIM("smart.mp4", "full.mp4") > 0.95)
    let times = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0", clips.folder + "/smart.mp4"
    ).filter { !$0.isEmpty }
    #expect(times.count == 168)
    for (index, time) in times.enumerated() {
      let seconds = try #require(Double(time.filter { $0 != "," }))
      #expect(abs(seconds - Double(index) / 30) < 1e-4)
    }
  }

  @Test func sourcesWhoseParameterSetsContradictEachOtherAreCopiedWithThem() throws {
    let clips = try Clips()
    let document = clips.document("d.mp4")
      .replacing(
        #"{ "media": "d.mp4" }"#, with: #"{ "media": "d.mp4" }, { "transition": "wipe", "duration": "0.4s" }, { "media": "b.mp4" }"#)
    let report = try clips.render(document, to: "smart.mp4", copies: true)
    #expect(try #require(report.segments).map(\.action) == ["copy", "encode", "copy", "encode", "copy"])
    #expect(report.segments?[2].reason.contains("parameter sets") == true)
    _ = try clips.render(document, to: "full.mp4", copies: false)
    let smart = clips.folder + "/smart.mp4"
    // Without what stands before them the pictures are the source's, bit for bit.
    func pictures(_ name: String) throws -> [Substring] {
      try Tool.run(
        "ffmpeg",
        [
          "-v", "error", "-i", clips.folder + "/" + name, "-map", "0:v", "-c", "copy", "-bsf:v", "filter_units=remove_types=7-8", "-f",
          "framehash", "-hash", "md5", "-",
        ]
      ).output.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: ",").last }
    }
    let own = try pictures("smart.mp4")
    #expect(own.count == 246)
    for (index, source) in [(0, "a.mp4"), (2, "d.mp4"), (4, "b.mp4")] {
      let segment = try #require(report.segments?[index])
      let theirs = Set(try pictures(source))
      #expect(own[segment.from..<segment.to].allSatisfy { theirs.contains($0) })
    }
    #expect(try Tool.lines("ffprobe", "-v", "error", "-show_entries", "stream=codec_tag_string", "-of", "csv=p=0", smart).first == "avc3")
    // From anywhere, forwards: what a decoder met before must not matter.
    for start in ["0", "1.2", "2.7", "3.4", "5.5", "6.4"] {
      #expect(try Tool.run("ffmpeg", ["-v", "warning", "-ss", start, "-i", smart, "-frames:v", "20", "-f", "null", "-"]).errors == "")
    }
    #expect(try clips.worstSSIM("smart.mp4", "full.mp4") > 0.95)
  }

  @Test func whatCannotBeCopiedSaysWhy() throws {
    let clips = try Clips()
    // 25 frames a second on a canvas of 30: pictures repeat.
    let report = try clips.render(clips.document("c.mp4"), to: "out.mp4", copies: true)
    #expect(report.segments?.first?.action == "copy")
    #expect(report.segments?.dropFirst().allSatisfy { $0.action == "encode" } == true)
    #expect(report.notes?.contains { $0.contains("clip 1") && $0.contains("encoded") } == true)
    let overlay = #""overlays": [ { "text": "New", "from": "0s" } ],"#
    let covered = try clips.render(clips.document(overlays: overlay), to: "covered.mp4", copies: true)
    #expect(covered.segments?.allSatisfy { $0.action == "encode" } == true)
  }

  @Test func aSecondRenderTakesAllOfTheCacheAndAnEditPaysForItself() throws {
    let clips = try Clips()
    let first = try clips.render(clips.document(), to: "first.mp4", copies: false, cache: "cache")
    #expect(first.segments?.allSatisfy { $0.action == "encode" } == true)
    let second = try clips.render(clips.document(), to: "second.mp4", copies: false, cache: "cache")
    #expect(second.segments?.allSatisfy { $0.action == "cache" } == true)
    #expect(second.frames["decoded"] == nil)
    #expect(clips.digest("first.mp4") == clips.digest("second.mp4"))
    let edited = try clips.render(clips.document(transition: "circle-open"), to: "edited.mp4", copies: false, cache: "cache")
    #expect(edited.frames["encoded"] == 12)
    #expect(edited.segments?.filter { $0.action == "encode" }.map(\.reason) == ["transition circle-open"])
    let full = try clips.render(clips.document(transition: "circle-open"), to: "full.mp4", copies: false)
    #expect(full.frames["encoded"] == 168)
    #expect(try clips.worstSSIM("edited.mp4", "full.mp4") > 0.95)
    #expect(try Tool.run("ffmpeg", ["-v", "warning", "-i", clips.folder + "/edited.mp4", "-f", "null", "-"]).errors == "")
  }

  /// A picture rests, so that pieces do not depend on when it came; a video under way does.
  @Test func piecesUnderPicturesAndVideosAreCached() throws {
    let clips = try Clips()
    let overlays = #""overlays": [ { "image": "logo.png", "width": 40 }, { "media": "c.mp4", "width": 64, "from": "1s", "to": "3s" } ],"#
    let first = try clips.render(clips.document(overlays: overlays), to: "first.mp4", copies: false, cache: "cache")
    let second = try clips.render(clips.document(overlays: overlays), to: "second.mp4", copies: false, cache: "cache")
    #expect(first.segments?.allSatisfy { $0.action == "encode" } == true && second.segments?.allSatisfy { $0.action == "cache" } == true)
    #expect(clips.digest("first.mp4") == clips.digest("second.mp4"))
    let later = overlays.replacing("\"1s\"", with: "\"1.2s\"")
    let edited = try clips.render(clips.document(overlays: later), to: "edited.mp4", copies: false, cache: "cache")
    #expect(Set(edited.segments?.map(\.action) ?? []) == ["cache", "encode"])
    let full = try clips.render(clips.document(overlays: later), to: "full.mp4", copies: false)
    #expect(full.frames["encoded"] == 168)
    #expect(try clips.worstSSIM("edited.mp4", "full.mp4") > 0.95)
  }

  @Test func aHarmedCacheCostsTimeAndNothingElse() throws {
    let clips = try Clips()
    _ = try clips.render(clips.document(), to: "first.mp4", copies: false, cache: "cache")
    let wanted = clips.digest("first.mp4")
    // Every entry with a byte changed.
    for entry in try Entries.list(clips.folder + "/cache") { try Entries.flip(entry) }
    let harmed = try clips.render(clips.document(), to: "harmed.mp4", copies: false, cache: "cache")
    #expect(clips.digest("harmed.mp4") == wanted)
    #expect(harmed.warnings.contains { $0.contains("damaged entry") })
    #expect(harmed.frames["encoded"] == 168)
    // Mended by that run.
    #expect(try clips.render(clips.document(), to: "again.mp4", copies: false, cache: "cache").frames["fromCache"] == 168)
    // Emptied while a render runs that counts on it.
    let emptied = try clips.render(clips.document(), to: "emptied.mp4", copies: false, cache: "cache") { folder in
      for entry in (try? Entries.list(folder)) ?? [] { unlink(entry) }
    }
    #expect(clips.digest("emptied.mp4") == wanted)
    #expect(emptied.segments?.contains { $0.action == "encode" } == true)
  }

  @Test func twoRendersShareACache() throws {
    let clips = try Clips()
    let results = Mutex<[String]>([])
    let threads = try (0..<3).map { index throws(MediaError) in
      try Thread {
        _ = try? clips.render(clips.document(), to: "out\(index).mp4", copies: false, cache: "cache")
        results.withLock { $0.append(clips.digest("out\(index).mp4")) }
      }
    }
    for thread in threads { thread.join() }
    #expect(results.withLock { Set($0).count } == 1)
    #expect(!Tool.bytes(of: clips.folder + "/out0.mp4").isEmpty)
  }

  @Test func aFullDiskUnderTheCacheIsAWarning() throws {
    let clips = try Clips()
    var task = RenderTask(document: clips.document(), documentName: "ad.reel.json")
    task.usesCache = true
    let files = clips.files("out.mp4")
    // Files without a cache refuse its names, as a full disk does.
    let report = try task.run(in: TaskContext(files: files, threads: 1))
    try files.publish("output", sidecar: nil)
    #expect(report.warnings.contains { $0.contains("segment cache cannot be written") })
    #expect(try Oracle.videoFrameCount(clips.folder + "/out.mp4") == 168)
  }
}

/// Entries of a cache on disk.
private enum Entries {
  static func list(_ folder: String) throws -> [String] {
    try Tool.lines("ls", folder).filter { ContentCache.isKey($0) }.map { folder + "/" + $0 }
  }

  static func flip(_ path: String) throws {
    let number = open(path, O_RDWR)
    try #require(number >= 0)
    defer { close(number) }
    var byte: UInt8 = 0
    pread(number, &byte, 1, 100)
    byte ^= 0x10
    pwrite(number, &byte, 1, 100)
  }
}

/// Calls `harm` when the first piece is about to be read for the second time: after planning, before it is used.
private final class HarmedFiles: Files {
  private let files: any Files
  private let harm: @Sendable () -> Void
  private let seen = Mutex<Set<String>>([])

  init(_ files: any Files, harm: @escaping () -> Void) {
    self.files = files
    nonisolated(unsafe) let unsafe = harm
    self.harm = { unsafe() }
  }

  func openInput(_ name: String) throws(MediaError) -> InputFile {
    if name.hasPrefix(CachedFiles.prefix), seen.withLock({ !$0.insert(name).inserted }) { harm() }
    return try files.openInput(name)
  }
  func createOutput(_ name: String) throws(MediaError) -> OutputFile { try files.createOutput(name) }
  func completeOutput(_ name: String) throws(MediaError) { try files.completeOutput(name) }
  func createScratch() throws(MediaError) -> Descriptor { try files.createScratch() }
}
