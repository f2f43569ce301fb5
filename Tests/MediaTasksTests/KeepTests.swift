import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// What `--keep` carries over besides tracks, and where sound and streams really begin and end; judged by ffprobe.
@Suite struct KeepTests {
  private func make(_ arguments: [String]) throws {
    let made = try Tool.run("ffmpeg", ["-nostdin", "-v", "error"] + arguments)
    try #require(made.status == 0, "\(made.errors)")
  }

  @Test(
    "the mastering display and the light levels of HDR10",
    arguments: ["hevc mp4", "h264 mp4", "av1 mp4", "vp9 webm", "ffv1 mkv", "prores mov"])
  func lightOfHDR(_ kind: String) throws {
    let scratch = try ScratchFolder()
    let parts = kind.split(separator: " ").map(String.init)
    let source = scratch.path + "/hdr.mp4"
    try make([
      "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=0.2,format=yuv420p10le", "-color_primaries", "bt2020", "-color_trc",
      "smpte2084", "-colorspace", "bt2020nc", "-color_range", "tv", "-c:v", "libx265", "-tag:v", "hvc1", "-x265-params",
      "log-level=error:repeat-headers=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400",
      source,
    ])
    func light(_ path: String, _ section: String) throws -> [String: Double] {
      let lines = try Tool.lines(
        "ffprobe", "-v", "error", "-read_intervals", "%+#1", "-show_entries", section, "-of", "default=nw=1", path)
      return Dictionary(
        lines.compactMap { line in
          let pair = line.split(separator: "=")
          guard pair.count == 2, pair[0].contains("_x") || pair[0].contains("_y") || pair[0].contains("m") else { return nil }
          let number = pair[1].split(separator: "/").compactMap { Double($0) }
          return number.isEmpty ? nil : (String(pair[0]), number.count == 2 ? number[0] / number[1] : number[0])
        }, uniquingKeysWith: { $1 })
    }
    let wanted = [
      "red_x": 0.68, "red_y": 0.32, "green_x": 0.265, "green_y": 0.69, "blue_x": 0.15, "blue_y": 0.06, "white_point_x": 0.3127,
      "white_point_y": 0.329, "min_luminance": 0.005, "max_luminance": 1000, "max_content": 1000, "max_average": 400,
    ]
    let tracks = TrackTests()
    _ = try tracks.encode(source, to: scratch.path + "/kept.\(parts[1])") {
      $0.codec = parts[0]
      $0.keep = [.hdr]
    }
    let inContainer = try light(scratch.path + "/kept.\(parts[1])", "stream_side_data_list")
    for (key, value) in wanted { #expect(abs((inContainer[key] ?? -1) - value) <= value * 0.001, "\(key) in \(inContainer)") }
    if ["hevc", "av1"].contains(parts[0]) {
      // The stream says so too, for players that look at nothing else. (FFmpeg 5.1 does not read it in H.264.)
      let raw = scratch.path + "/bare.\(parts[0] == "av1" ? "obu" : parts[0])"
      try make(["-i", scratch.path + "/kept.\(parts[1])", "-c", "copy", raw])
      let inStream = try light(raw, "frame=side_data_list:side_data")
      for (key, value) in wanted { #expect(abs((inStream[key] ?? -1) - value) <= value * 0.001, "\(key) in \(inStream)") }
    }
    // Tone-mapped pictures have another light.
    _ = try tracks.encode(source, to: scratch.path + "/sdr.mp4") { _ in }
    #expect(try light(scratch.path + "/sdr.mp4", "stream_side_data_list").isEmpty)
  }

  @Test(arguments: ["h264 mp4", "prores mov", "ffv1 mkv", "hevc mp4"]) func interlacing(_ kind: String) throws {
    let scratch = try ScratchFolder()
    let parts = kind.split(separator: " ").map(String.init)
    let source = scratch.path + "/fields.mp4"
    try make([
      "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=50:duration=1", "-vf", "interlace=scan=tff", "-flags", "+ilme+ildct", "-c:v",
      "libx264", "-preset", "ultrafast", "-x264-params", "tff=1", source,
    ])
    func facts(_ path: String) throws -> (stream: String, flags: Set<String>) {
      let flags = try Tool.lines(
        "ffprobe", "-v", "error", "-show_entries", "frame=interlaced_frame,top_field_first", "-of", "csv=p=0", path)
      return (
        try Tool.lines("ffprobe", "-v", "error", "-show_entries", "stream=field_order", "-of", "csv=p=0", path)[0],
        Set(flags.map { String($0.prefix(3)) }.filter { !$0.isEmpty })
      )
    }
    let (report, _) = try TrackTests().encode(source, to: scratch.path + "/kept.\(parts[1])") {
      $0.codec = parts[0]
      $0.keep = [.interlacing]
    }
    let kept = try facts(scratch.path + "/kept.\(parts[1])")
    #expect(kept.stream.hasPrefix("t"), "\(kept)")
    if parts[0] == "hevc" {
      #expect(report.warnings.contains { $0.contains("interlaced") })
    } else {
      #expect(kept.flags == ["1,1"], "\(kept)")
      #expect(!report.warnings.contains { $0.contains("interlaced") })
    }
    _ = try TrackTests().encode(source, to: scratch.path + "/plain.mp4") { _ in }
    let plain = try facts(scratch.path + "/plain.mp4")
    #expect(plain.flags == ["0,0"], "\(plain)")
  }

  @Test(.enabled(if: MediaPack.isPresent, "needs ../shared/media")) func dataStreams() throws {
    let scratch = try ScratchFolder()
    let source = try #require(MediaPack.path("natural/gopro_max-heromode_848x480_29.97fps_aac.mp4"))
    let out = scratch.path + "/out.mp4"
    let (report, _) = try TrackTests().encode(source, to: out) {
      $0.keep = [.data]
      $0.bounds = FrameSize(160, 90)
    }
    func packets(_ path: String) throws -> [String] {
      let streams = try Tool.lines("ffprobe", "-v", "error", "-show_entries", "stream=index,codec_tag_string", "-of", "csv=p=0", path)
      let index = try #require(streams.first { $0.hasSuffix("gpmd") }?.split(separator: ",").first)
      return try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", String(index), "-show_data_hash", "sha256", "-show_entries",
        "packet=pts_time,data_hash", "-of", "csv=p=0", path
      ).filter { !$0.isEmpty }
    }
    #expect(try packets(out) == packets(source))
    // What MP4 cannot hold in FFmpeg is named: the time code and the camera's own descriptions.
    #expect(report.warnings.count { $0.contains("data (none)") } == 2, "\(report.warnings)")
  }

  @Test("sound that begins late begins there, without the encoder's priming", arguments: ["mp4", "mov"], [0.01, 0.7])
  func lateSound(_ container: String, _ late: Double) throws {
    let scratch = try ScratchFolder()
    let source = scratch.path + "/late.mkv"
    try make([
      "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2", "-itsoffset", "\(late)", "-f", "lavfi", "-i",
      "sine=1000:sample_rate=48000:duration=1.1", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", source,
    ])
    let out = scratch.path + "/out.\(container)"
    _ = try TrackTests().encode(source, to: out) { _ in }
    let frames = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "frame=best_effort_timestamp_time,nb_samples", "-of", "csv=p=0",
      out
    ).map { $0.split(separator: ",").compactMap { Double($0) } }.filter { $0.count == 2 }
    let (first, last) = (try #require(frames.first), try #require(frames.last))
    #expect(abs(first[0] - late) < 0.002, "begins at \(first[0])")
    #expect(abs(last[0] + last[1] / 48_000 - late - 1.1) <= 1024.0 / 48_000, "ends at \(last[0] + last[1] / 48_000)")
    // Loud from its first sample on.
    try make(["-i", out, "-map", "0:a", "-f", "s16le", "-ac", "1", scratch.path + "/samples"])
    let bytes = Tool.bytes(of: scratch.path + "/samples")
    let peak = (0..<480).map { abs(Int(Int16(bitPattern: UInt16(bytes[$0 * 2]) | UInt16(bytes[$0 * 2 + 1]) << 8))) }.max() ?? 0
    #expect(peak > 1500, "\(peak)")
    #expect(
      try Double(Tool.lines("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", out)[0]).map {
        abs($0 - 2) < 0.03
      } == true)
  }

  @Test(
    "a click lies where it lay against the pictures, in Matroska and WebM too, encoded and copied from there", arguments: ["mkv", "webm"],
    [0, 0.7])
  func clicks(_ container: String, _ late: Double) throws {
    let scratch = try ScratchFolder()
    let source = scratch.path + "/clicks.mov"
    try make([
      "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2", "-itsoffset", "\(late)", "-f", "lavfi", "-i",
      "aevalsrc='0.8*sin(9000*t)*gte(t,0.25)*lt(t,0.35)':sample_rate=48000:duration=1.1", "-c:v", "libx264", "-preset", "ultrafast", "-c:a",
      "pcm_s16le", source,
    ])
    /// On the file's own clock: when the tone begins, less when the first picture is shown.
    func click(_ path: String) throws -> Double {
      let video = try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=start_time", "-of", "csv=p=0", path)
      let heard = try Tool.run(
        "ffmpeg", ["-nostdin", "-copyts", "-i", path, "-map", "0:a", "-af", "silencedetect=noise=-16dB:d=0.05", "-f", "null", "-"])
      let end = heard.errors.split(separator: "silence_end: ").dropFirst().first.flatMap { Double($0.prefix { $0 != " " }) }
      return try #require(end) - #require(video.first.flatMap { Double($0) })
    }
    let wanted = late + 0.25
    let given = try click(source)
    #expect(abs(given - wanted) < 0.001, "\(given)")
    let out = scratch.path + "/out.\(container)"
    _ = try TrackTests().encode(source, to: out) { _ in }
    let made = try click(out)
    #expect(abs(made - wanted) < 0.002, "\(made)")
    // Copied packet by packet, from here and from elsewhere.
    let opus = scratch.path + "/opus.mp4"
    try make(["-i", source, "-c:v", "copy", "-c:a", "libopus", "-strict", "-2", opus])
    for from in [out, opus] {
      let before = try click(from)
      let to = scratch.path + (container == "mkv" || from == opus ? "/copied.mkv" : "/copied.webm")
      _ = try TrackTests().encode(from, to: to) { ($0.codec, $0.audioCodec) = ("copy", "copy") }
      let after = try click(to)
      #expect(abs(after - before) < 0.002, "\(after) instead of \(before)")
    }
  }

  @Test("a bare stream that is cut within a picture is incomplete") func cutStream() throws {
    let scratch = try ScratchFolder()
    let whole = scratch.path + "/whole.h264"
    try make([
      "-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=25", "-t", "1", "-c:v", "libx264", "-preset", "veryfast", "-threads", "1", whole,
    ])
    let (report, _) = try TrackTests().encode(whole, to: scratch.path + "/whole.mp4") { _ in }
    #expect(report.inputs[0].incomplete.isEmpty && !report.isDamaged && report.outputs[0].frames == 25)
    let bytes = Tool.bytes(of: whole)
    let cut = scratch.path + "/cut.h264"
    let file = try #require(fopen(cut, "wb"))
    fwrite(bytes, 1, bytes.count - 40, file)
    fclose(file)
    let error = #expect(throws: MediaError.self) { _ = try TrackTests().encode(cut, to: scratch.path + "/cut.mp4") { _ in } }
    #expect(error?.code.exitStatus == 65 && error?.reason.contains("within its last picture") == true, "\(String(describing: error))")
    let (kept, _) = try TrackTests().encode(cut, to: scratch.path + "/kept.mp4") { $0.allowIncomplete = true }
    #expect(kept.outputs[0].frames == 25 && !kept.inputs[0].incomplete.isEmpty)
  }
}
