import FileAccess
import FrameExtraction
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// What `FramesTask` writes, judged by ffprobe and ffmpeg.
@Suite struct FramesTaskTests {
  /// Four seconds of 320x180 at 30 frames a second, a keyframe a second.
  static func clip(_ scratch: ScratchFolder) throws -> String {
    let path = scratch.path + "/clip.mp4"
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4", "-c:v", "libx264", "-preset",
        "veryfast",
        "-g", "30", "-bf", "2", "-pix_fmt", "yuv420p", "-threads", "1", path,
      ])
    guard outcome.status == 0 else { throw Tool.Failure(description: outcome.errors) }
    return path
  }

  struct Outcome {
    let report: FramesReport
    let folder: String
    let names: [String]
  }

  static func run(
    _ scratch: ScratchFolder, _ task: FramesTask, input: String? = nil, outputs: [String: String] = [:], threads: Int = 0,
    cancellation: Cancellation = Cancellation()
  ) throws -> Outcome {
    let path = try input ?? Self.clip(scratch)
    let folder = scratch.path + "/out-\(threads)"
    mkdir(folder, 0o755)
    let files = LocalFiles(
      inputs: ["in": path], outputs: outputs.mapValues { folder + "/" + $0 }, folders: ["frames": folder, "sprites": folder])
    let report = try task.run(in: TaskContext(files: files, cancellation: cancellation, threads: threads))
    for name in files.pendingOutputs { try files.publish(name, sidecar: nil) }
    let names = try Tool.lines("ls", "-A", folder).filter { !$0.isEmpty }
    return Outcome(report: report, folder: folder, names: names)
  }

  static func at(_ seconds: Double...) -> FrameSelection { .positions(seconds.map { .time(MediaTime(seconds: $0)) }) }

  static func facts(_ path: String) throws -> String {
    try Tool.lines(
      "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", path)[
        0]
  }

  @Test("image files of every format, named by the pattern, fitted into the box", arguments: ImageFormat.allCases)
  func images(format: ImageFormat) throws {
    let scratch = try ScratchFolder()
    var task = FramesTask()
    task.selection = Self.at(0.5, 2)
    task.bounds = FrameSize(160, 160)
    task.images?.format = format
    task.images?.stem = "clip"
    task.images?.pattern = "{stem}-{index:03}-{time}.{ext}"
    let outcome = try Self.run(scratch, task)
    let suffix = format.rawValue
    #expect(outcome.names == ["clip-000-0.500.\(suffix)", "clip-001-2.000.\(suffix)"])
    #expect(outcome.report.frames.map(\.file) == outcome.names)
    #expect(outcome.report.frames.map(\.pts) == ["1/2", "2/1"])
    let codec = [ImageFormat.jpg: "mjpeg", .png: "png", .webp: "webp", .ppm: "ppm"][format] ?? ""
    for name in outcome.names { #expect(try Self.facts(outcome.folder + "/" + name) == "\(codec),160,90,1") }
  }

  @Test("a picture shows the frame that ffmpeg has at that time")
  func rightPicture() throws {
    let scratch = try ScratchFolder()
    let clip = try Self.clip(scratch)
    var task = FramesTask()
    task.selection = Self.at(1.51)
    task.images?.format = .png
    let outcome = try Self.run(scratch, task, input: clip)
    // Frame 45 is shown from 1.5 s on: the picture is nearest to that one.
    let picture = outcome.folder + "/" + (try #require(outcome.names.first))
    let likeness = try (44...46).map { number in
      let text = try Tool.run(
        "ffmpeg",
        [
          "-nostdin", "-i", clip, "-i", picture, "-filter_complex",
          "[0:v]trim=start_frame=\(number):end_frame=\(number + 1),setpts=0,format=rgb24[a];[1:v]setpts=0,format=rgb24[b];[a][b]psnr",
          "-f", "null", "-",
        ]
      ).errors
      return text.components(after: "average:").flatMap(Double.init) ?? 0
    }
    #expect(likeness[1] > 22 && likeness[1] > likeness[0] + 3 && likeness[1] > likeness[2] + 3, "\(likeness)")
  }

  @Test("sheet, sprites with their track, and preview in one pass")
  func products() throws {
    let scratch = try ScratchFolder()
    var task = FramesTask()
    task.selection = .uniform(count: 6)
    task.images = nil
    task.bounds = FrameSize(80, 80)
    task.sheet = .init(columns: 3, rows: 2)
    task.sprites = .init(file: "thumbs.png")
    task.preview = .init(format: .gif)
    let outcome = try Self.run(scratch, task, outputs: ["sheet": "sheet.jpg", "preview": "loop.gif"])
    #expect(outcome.names == ["loop.gif", "sheet.jpg", "thumbs.png", "thumbs.vtt"])
    #expect(outcome.report.products == ["sheet", "preview", "sprites/thumbs.png", "sprites/thumbs.vtt"])
    #expect(try Self.facts(outcome.folder + "/loop.gif") == "gif,80,45,6")
    #expect(try Self.facts(outcome.folder + "/thumbs.png") == "png,480,45,1")
    let sheet = try Self.facts(outcome.folder + "/sheet.jpg").split(separator: ",")
    #expect((Int(sheet[1]) ?? 0) >= 240 && (Int(sheet[2]) ?? 0) >= 90)
    let track = String(decoding: Tool.bytes(of: outcome.folder + "/thumbs.vtt"), as: UTF8.self)
    #expect(track.hasPrefix("WEBVTT\n"))
    for place in 0..<6 { #expect(track.contains("thumbs.png#xywh=\(place * 80),0,80,45")) }
    // Every frame was decoded for all products together: a GOP holds at most 30.
    #expect(outcome.report.counters.packetsDecoded <= 120)
  }

  @Test("more frames than the sheet has places: a warning, not silence")
  func leftOver() throws {
    let scratch = try ScratchFolder()
    var task = FramesTask()
    task.selection = .uniform(count: 6)
    task.images = nil
    task.sheet = .init(columns: 2, rows: 2)
    let outcome = try Self.run(scratch, task, outputs: ["sheet": "sheet.jpg"])
    #expect(outcome.report.warnings == ["the sheet has no place for 2 of the frames"])
  }

  @Test("one, two and four workers write the same bytes")
  func workers() throws {
    let scratch = try ScratchFolder()
    let clip = try Self.clip(scratch)
    var task = FramesTask()
    task.selection = .every(MediaTime(Rational(1, 5)))
    var files: [[[UInt8]]] = []
    for threads in [1, 2, 4] {
      let outcome = try Self.run(scratch, task, input: clip, threads: threads)
      files.append(outcome.names.map { Tool.bytes(of: outcome.folder + "/" + $0) })
    }
    #expect(files[0].count == 20)
    #expect(files[0] == files[1] && files[0] == files[2])
  }

  @Test("times before the start and beyond the end are flagged")
  func placements() throws {
    let scratch = try ScratchFolder()
    var task = FramesTask()
    task.selection = Self.at(-3, 1, 99)
    let report = try Self.run(scratch, task).report
    #expect(report.frames.map(\.placement) == ["beforeStart", "inside", "beyondEnd"])
    #expect(report.frames.map(\.pts) == ["0/1", "1/1", "119/30"])
  }

  @Test("a damaged group of pictures: errors for its items, files for the others")
  func damage() throws {
    let scratch = try ScratchFolder()
    let clip = try Self.clip(scratch)
    let damaged = scratch.path + "/damaged.mp4"
    try Self.overwriteSecondGroup(of: clip, to: damaged)
    var task = FramesTask()
    task.selection = Self.at(0.5, 1.8, 2.5, 3.5)
    let outcome = try Self.run(scratch, task, input: damaged)
    #expect(outcome.report.frames.map { $0.error?.code } == [nil, "damaged", nil, nil])
    #expect(outcome.report.frames[1].error?.exitStatus == 65)
    #expect(outcome.names == ["frame-0000.jpg", "frame-0002.jpg", "frame-0003.jpg"])
  }

  @Test("requests that cannot be are refused with a reason")
  func refusals() throws {
    let scratch = try ScratchFolder()
    let clip = try Self.clip(scratch)
    func code(_ change: (inout FramesTask) -> Void) throws -> MediaError.Code? {
      var task = FramesTask()
      task.selection = Self.at(1)
      change(&task)
      do {
        _ = try Self.run(scratch, task, input: clip, outputs: ["sheet": "s.jpg"])
        return nil
      } catch let error as MediaError { return error.code }
    }
    #expect(try code { $0.selection = nil } == .usage)
    #expect(try code { $0.selection = .positions([]) } == .usage)
    #expect(try code { $0.selection = .positions([.frame(-1)]) } == .usage)
    #expect(try code { $0.selection = .every(.zero) } == .usage)
    #expect(try code { $0.selection = .uniform(count: 0) } == .usage)
    #expect(try code { $0.selection = .sceneChanges(threshold: 0) } == .usage)
  }

  @Test(
    "a bad name pattern, or one name for two frames, is refused and nothing written",
    arguments: ["{what}", "../{index}.jpg", "{index", "", "x.jpg"])
  func patterns(pattern: String) throws {
    let scratch = try ScratchFolder()
    var task = FramesTask()
    task.selection = Self.at(1, 2)
    task.images?.pattern = pattern
    let error = #expect(throws: MediaError.self) { try Self.run(scratch, task) }
    #expect(error?.code == .usage)
    #expect(try Tool.lines("ls", "-A", scratch.path + "/out-0").filter { !$0.isEmpty } == [])
  }

  @Test("a cancelled task ends with that error")
  func cancelled() throws {
    let scratch = try ScratchFolder()
    let cancellation = Cancellation()
    cancellation.cancel()
    var task = FramesTask()
    task.selection = .range(TimeRange())
    let clip = try Self.clip(scratch)
    #expect(throws: MediaError.self) { try Self.run(scratch, task, input: clip, cancellation: cancellation) }
  }

  /// Noise in every packet of the second group but its keyframe.
  static func overwriteSecondGroup(of clip: String, to path: String) throws {
    var bytes = Tool.bytes(of: clip)
    let lines = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size,pts_time,flags", "-of", "compact=p=0:nk=1", clip
    )
    var state: UInt64 = 5
    for line in lines {
      let fields = line.split(separator: "|")
      guard fields.count >= 4, let time = Double(fields[0]), let size = Int(fields[1]), let position = Int(fields[2]) else { continue }
      guard time > 1.01 && time < 1.99 && !fields[3].contains("K") else { continue }
      for place in (position + 5)..<(position + size) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[place] = UInt8(truncatingIfNeeded: state >> 33)
      }
    }
    guard let file = fopen(path, "w") else { throw Tool.Failure(description: "cannot write \(path)") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}

extension String {
  /// The number-like text after the last occurrence of `mark`.
  fileprivate func components(after mark: String) -> String? {
    var found: Substring?
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(mark) { found = rest.dropFirst(mark.count) }
      rest = rest.dropFirst()
    }
    return found.map { String($0.prefix { $0.isNumber || $0 == "." }) }
  }
}
