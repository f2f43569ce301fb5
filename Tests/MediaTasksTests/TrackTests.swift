import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// What `encode` keeps, copies, converts and leaves out, judged by ffprobe.
@Suite struct TrackTests {
  /// Pictures, two sounds of different languages, 5.1 in the second, text subtitles, a cover, a font and chapters.
  private func makeRich(in scratch: ScratchFolder) throws -> String {
    let folder = scratch.path
    func write(_ text: String, _ name: String) throws {
      let file = try #require(fopen(folder + "/" + name, "w"))
      fputs(text, file)
      fclose(file)
    }
    try write("1\n00:00:00,500 --> 00:00:01,500\nHello\n\n2\n00:00:02,000 --> 00:00:03,500\n<i>Good</i> bye\n", "a.srt")
    try write(
      ";FFMETADATA1\ntitle=Rich\nartist=Somebody\nlocation=+48.1+11.5/\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n"
        + "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=Two\n", "meta.txt")
    try write("not really a font", "font.ttf")
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=4", "-f", "lavfi", "-i",
        "sine=440:sample_rate=44100:duration=4", "-f", "lavfi", "-i", "anoisesrc=sample_rate=48000:duration=4:amplitude=0.1", "-i",
        folder + "/a.srt", "-i", folder + "/meta.txt", "-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-map_metadata", "4",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-threads", "1", "-c:a:0", "aac", "-c:a:1", "ac3", "-ac:a:1",
        "6",
        "-c:s", "srt", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "-metadata:s:s:0", "language=fra", "-attach",
        folder + "/font.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font", folder + "/rich.mkv",
      ])
    try #require(made.status == 0, "\(made.errors)")
    return folder + "/rich.mkv"
  }

  func encode(
    _ source: String, to out: String, _ change: (inout EncodeTask) -> Void
  ) throws -> (report: TaskReport, streams: [String]) {
    unlink(out)
    let files = LocalFiles(inputs: ["input": source], outputs: ["output": out])
    var task = EncodeTask()
    task.outputExtension = String(out.split(separator: ".").last!)
    task.speed = "ultrafast"
    change(&task)
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    let streams = try Tool.lines(
      "ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name,channels,sample_rate:stream_tags=language", "-of",
      "compact=p=0:nk=1",
      out
    ).filter { !$0.isEmpty }
    #expect(try Tool.run("ffmpeg", ["-v", "error", "-i", out, "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]).errors == "")
    return (report, streams)
  }

  @Test func byDefaultOneOfEachAndTheRestIsNamed() throws {
    let scratch = try ScratchFolder()
    let out = scratch.path + "/out.mp4"
    let (report, streams) = try encode(makeRich(in: scratch), to: out) { _ in }
    #expect(streams.count == 3 && streams[0].hasPrefix("h264|video") && streams[1].contains("aac|audio|48000|2|eng"), "\(streams)")
    #expect(streams[2].contains("data"), "MP4 keeps chapters in a track of their own: \(streams)")
    for what in ["stream 2, audio (ac3), deu", "stream 3, subtitle (subrip), fra", "attachment (ttf)"] {
      #expect(report.warnings.contains { $0.contains(what) }, "\(report.warnings)")
    }
    let tags = try Tool.lines("ffprobe", "-v", "error", "-show_entries", "format_tags", "-show_chapters", out).joined(separator: "\n")
    #expect(tags.contains("title=Rich") && tags.contains("title=One") && tags.contains("title=Two"))
    #expect(!tags.contains("Somebody") && !tags.contains("48.1"), "\(tags)")
    let bare = try encode(scratch.path + "/rich.mkv", to: out) { $0.keep = [.noChapters, .noMetadata] }
    let left = try Tool.lines("ffprobe", "-v", "error", "-show_entries", "format_tags", "-show_chapters", out).joined(separator: "\n")
    #expect(
      !left.contains("Rich") && !left.contains("One") && bare.streams.count == 2 && !bare.streams[1].contains("eng"),
      "\(left) \(bare.streams)")
  }

  @Test func allTracksInMatroskaAndInMP4() throws {
    let scratch = try ScratchFolder()
    let source = try makeRich(in: scratch)
    let keep: Set<EncodeTask.Keep> = [.allAudio, .subtitles, .attachments, .channels, .sampleRate, .metadata]
    let (_, streams) = try encode(source, to: scratch.path + "/out.mkv") { $0.keep = keep }
    #expect(
      streams.map { $0.split(separator: "|").prefix(2).joined(separator: "|") }
        == ["h264|video", "aac|audio", "aac|audio", "subrip|subtitle", "ttf|attachment"], "\(streams)")
    #expect(streams[1].contains("|44100|1|eng") && streams[2].contains("|48000|6|deu"), "\(streams)")
    let (report, mp4) = try encode(source, to: scratch.path + "/out.mp4") { $0.keep = keep }
    #expect(mp4.contains { $0.hasPrefix("mov_text|subtitle") && $0.contains("fra") }, "\(mp4)")
    #expect(report.warnings.contains { $0.contains("attachment") && $0.contains("holds no attachments") }, "\(report.warnings)")
    // The text and its times survive the conversion; Matroska holds all 23 ms late, which AAC's priming takes.
    let text = try Tool.run("ffmpeg", ["-v", "error", "-i", scratch.path + "/out.mp4", "-map", "0:s", "-f", "srt", "-"]).output
    #expect(text.contains("00:00:00,523 --> 00:00:01,523\nHello") && text.contains("00:00:02,023 --> 00:00:03,523"), "\(text)")
    let cut = try encode(source, to: scratch.path + "/cut.mp4") {
      $0.keep = keep
      $0.trimStart = .time(MediaTime(Rational(1)))
      $0.trimEnd = .time(MediaTime(Rational(3)))
    }
    // The picture that is on show at the start and fifty that begin later.
    #expect(cut.report.outputs[0].frames == 51)
    let trimmed = try Tool.run("ffmpeg", ["-v", "error", "-i", scratch.path + "/cut.mp4", "-map", "0:s", "-f", "srt", "-"]).output
    #expect(trimmed.contains("00:00:00,000 --> 00:00:00,523\nHello") && trimmed.contains("00:00:01,023 --> "), "\(trimmed)")
  }

  @Test(arguments: ["mp4", "mkv", "mov"]) func copiedPacketsAreTheSame(_ container: String) throws {
    let scratch = try ScratchFolder()
    let source = try makeRich(in: scratch)
    let out = scratch.path + "/copy.\(container)"
    let (report, streams) = try encode(source, to: out) {
      $0.codec = "copy"
      $0.audioCodec = "copy"
      $0.keep = [.allAudio]
    }
    #expect(streams.prefix(3).map { String($0.split(separator: "|")[0]) } == ["h264", "aac", "ac3"], "\(streams)")
    #expect(report.outputs[0].frames == 100)
    func hashes(_ path: String, _ map: String) throws -> [String] {
      try Tool.lines("ffmpeg", "-v", "error", "-i", path, "-map", map, "-f", "framemd5", "-").filter { !$0.hasPrefix("#") }.map {
        String($0.split(separator: ",").last ?? "")
      }
    }
    for map in ["0:v", "0:a:1"] { #expect(try hashes(source, map) == hashes(out, map)) }

    let part = scratch.path + "/part.\(container)"
    let cut = try encode(source, to: part) {
      $0.codec = "copy"
      $0.audioCodec = "copy"
      $0.trimStart = .time(MediaTime(Rational(12, 10)))
      $0.trimEnd = .time(MediaTime(Rational(3)))
    }
    let shown = try hashes(part, "0:v").filter { !$0.isEmpty }
    let whole = try hashes(source, "0:v")
    if container == "mkv" {
      // Matroska cannot hide what the cut needs: from the keyframe at 1 s on, and said so.
      #expect(shown == Array(whole[25..<75]), "\(shown.count)")
      #expect(cut.report.warnings.contains { $0.contains("before the trim") }, "\(cut.report.warnings)")
    } else {
      #expect(shown == Array(whole[30..<75]), "\(shown.count)")
    }
  }

  @Test func copyRefusesChanges() throws {
    let scratch = try ScratchFolder()
    let source = try makeRich(in: scratch)
    for change in [{ $0.bounds = FrameSize(80, 60) }, { $0.crf = 20 }, { $0.filter = "hflip" }] as [(inout EncodeTask) -> Void] {
      #expect(throws: MediaError.self) {
        _ = try encode(source, to: scratch.path + "/out.mp4") {
          $0.codec = "copy"
          change(&$0)
        }
      }
    }
    // A container that cannot hold the codec is refused, not filled with something else.
    #expect(throws: MediaError.self) {
      _ = try encode(source, to: scratch.path + "/out.webm") { $0.codec = "copy" }
    }
  }

  @Test func keptShapeRotationAndFormat() throws {
    let scratch = try ScratchFolder()
    let source = scratch.path + "/odd.mov"
    let made = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=1,setsar=4/3,format=yuv422p10le", "-c:v",
        "prores_ks", scratch.path + "/plain.mov",
      ])
    try #require(made.status == 0, "\(made.errors)")
    let turned = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-i", scratch.path + "/plain.mov", "-c", "copy", "-metadata:s:v", "rotate=90", source])
    try #require(turned.status == 0, "\(turned.errors)")
    let entries = "stream=width,height,pix_fmt,sample_aspect_ratio:stream_side_data=rotation"
    func facts(_ path: String) throws -> String {
      try Tool.lines("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "compact=p=0", path)[0]
    }
    _ = try encode(source, to: scratch.path + "/out.mkv") {
      $0.codec = "ffv1"
      $0.keep = [.rotation, .aspect, .format]
    }
    let kept = try facts(scratch.path + "/out.mkv")
    #expect(kept.contains("width=160|height=120|sample_aspect_ratio=4:3|pix_fmt=yuv422p10le"), "\(kept)")
    _ = try encode(source, to: scratch.path + "/out.mp4") { $0.keep = [.rotation, .aspect] }
    let inMP4 = try facts(scratch.path + "/out.mp4")
    #expect(inMP4.contains("sample_aspect_ratio=4:3") && inMP4.contains("rotation=90"), "\(inMP4)")
    #expect(try facts(source).contains("rotation=90"))
    _ = try encode(source, to: scratch.path + "/upright.mp4") { _ in }
    #expect(try facts(scratch.path + "/upright.mp4").contains("width=120|height=214|sample_aspect_ratio=1:1|pix_fmt=yuv420p"))
  }

  @Test func picturesThatChangeTheirSizeKeepTheFirstOnes() throws {
    let scratch = try ScratchFolder()
    for (name, size) in [("a", "160x120"), ("b", "320x180"), ("c", "160x120")] {
      let made = try Tool.run(
        "ffmpeg",
        [
          "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=1", "-c:v", "libx264", "-preset",
          "ultrafast",
          "-threads", "1", "-bsf:v", "h264_mp4toannexb", scratch.path + "/\(name).h264",
        ])
      try #require(made.status == 0, "\(made.errors)")
    }
    let joined = scratch.path + "/joined.h264"
    let file = try #require(fopen(joined, "wb"))
    for name in ["a", "b", "c"] {
      let bytes = Tool.bytes(of: scratch.path + "/\(name).h264")
      fwrite(bytes, 1, bytes.count, file)
    }
    fclose(file)
    let (report, _) = try encode(joined, to: scratch.path + "/out.mp4") { _ in }
    #expect(report.outputs[0].frames == 75 && report.outputs[0].width == 160 && report.outputs[0].height == 120)
    #expect(try Oracle.videoFrameCount(scratch.path + "/out.mp4") == 75)
  }

  @Test(.enabled(if: MediaPack.isPresent, "needs ../shared/media"), arguments: ["m4a", "mp3", "flac"])
  func coversStay(_ container: String) throws {
    let scratch = try ScratchFolder()
    let source = try #require(MediaPack.path("audio/vibe_ace_kevin_macleod.ogg"))
    let (report, streams) = try encode(source, to: scratch.path + "/out.\(container)") {
      $0.keep = [.cover]
      $0.trimEnd = .time(MediaTime(Rational(2)))
    }
    #expect(streams.contains { $0.hasPrefix("mjpeg|video") }, "\(streams) \(report.warnings)")
  }

  @Test func anyGraphOfFilters() throws {
    let scratch = try ScratchFolder()
    let source = try makeRich(in: scratch)
    let (report, _) = try encode(source, to: scratch.path + "/out.mp4") {
      $0.filter = "split[a][b];[b]hflip[c];[a][c]hstack,eq=contrast=1.1"
    }
    #expect(report.outputs[0].width == 320 && report.outputs[0].frames == 100)
  }
}
