import Glibc
import TestSupport
import Testing

/// A clip with a white flash of one frame and a click of 2 ms at every full second, and where both are found in a file.
struct SyncClip: Sendable, CustomTestStringConvertible {
  let name: String
  let file: String
  /// Arguments of the `ffmpeg` tool; `BASE` stands for the plain clip.
  let arguments: [String]
  var testDescription: String { name }

  /// Pictures at 25 a second with B-frames and a keyframe a second; sound at 48 kHz, 10 s each.
  static let baseInputs = [
    "-f", "lavfi", "-i",
    "color=black:size=160x120:rate=25:duration=10,drawbox=color=white:t=fill:enable='between(mod(t,1),0.999,1)+lt(mod(t,1),0.001)*gt(t,0.5)'",
    "-f", "lavfi", "-i", "aevalsrc='0.9*sin(2*PI*3000*t)*lt(mod(t,1),0.002)*gt(t,0.5)':sample_rate=48000:duration=10",
  ]
  static let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p", "-threads", "1"]

  static let all: [SyncClip] = [
    SyncClip(name: "priming of AAC in MP4", file: "clip.mp4", arguments: baseInputs + x264 + ["-c:a", "aac"]),
    SyncClip(name: "priming of Opus in WebM's codec delay", file: "clip.mkv", arguments: baseInputs + x264 + ["-c:a", "libopus"]),
    SyncClip(name: "priming of MP3 in Matroska", file: "clip.mkv", arguments: baseInputs + x264 + ["-c:a", "libmp3lame"]),
    SyncClip(name: "edit list that hides a part of a GOP", file: "clip.mp4", arguments: ["-ss", "1.48", "-i", "BASE", "-c", "copy"]),
    SyncClip(
      name: "edit list that delays the pictures", file: "clip.mp4",
      arguments: [
        "-i", "BASE", "-itsoffset", "0.72", "-i", "BASE", "-map", "1:v", "-map", "0:a", "-af", "adelay=720:all=1", "-c:v", "copy", "-c:a",
        "aac",
      ]),
    SyncClip(
      name: "sound that begins late", file: "clip.mov",
      arguments: ["-i", "BASE", "-filter_complex", "[0:a]atrim=start=1.3[a]", "-map", "0:v", "-map", "[a]", "-c:v", "copy", "-c:a", "aac"]),
    SyncClip(
      name: "negative start in a transport stream", file: "clip.ts",
      arguments: ["-i", "BASE", "-c", "copy", "-mpegts_copyts", "1", "-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", "-0.6"]),
    SyncClip(
      name: "sound that begins before the pictures", file: "clip.mkv",
      arguments: [
        "-itsoffset", "0.4", "-i", "BASE", "-i", "BASE", "-map", "0:v", "-map", "1:a", "-af", "adelay=400:all=1", "-c:v", "copy", "-c:a",
        "flac",
      ]),
    SyncClip(
      name: "variable frame rate", file: "clip.mp4",
      arguments: [
        "-i", "BASE", "-vf", "select='lt(mod(n,25),1)+not(eq(mod(n,7),3))*not(between(mod(n,25),10,16))'", "-fps_mode", "vfr", "-c:a",
        "copy",
      ]
        + x264),
    SyncClip(
      name: "start at 10 s", file: "clip.mp4",
      arguments: ["-i", "BASE", "-c", "copy", "-output_ts_offset", "10", "-avoid_negative_ts", "disabled"]),
  ]

  /// Makes the clip in a folder; gives its path.
  func make(in folder: String) throws -> String {
    let base = folder + "/base.mp4"
    if access(base, R_OK) != 0 {
      let made = try Tool.run(
        "ffmpeg", ["-nostdin", "-v", "error"] + SyncClip.baseInputs + SyncClip.x264 + ["-c:a", "aac", "-b:a", "192k", base])
      guard made.status == 0 else { throw Tool.Failure(description: made.errors) }
    }
    let path = folder + "/" + file
    let made = try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-y"] + arguments.map { $0 == "BASE" ? base : $0 } + [path])
    guard made.status == 0 else { throw Tool.Failure(description: made.errors) }
    return path
  }

  /// When the flashes and the clicks of a file come, in seconds on its presentation timeline.
  static func measure(_ path: String, in folder: String) throws -> (flashes: [Double], clicks: [Double]) {
    let start =
      try Tool.lines("ffprobe", "-v", "error", "-show_entries", "format=start_time", "-of", "csv=p=0", path).first.flatMap(Double.init) ?? 0
    let times = try Tool.lines(
      "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path
    ).compactMap { Double($0.split(separator: ",").first ?? "") }
    let pictures = folder + "/measure.gray"
    let sound = folder + "/measure.pcm"
    for (output, options) in [
      (pictures, ["-map", "0:v:0", "-vf", "scale=8:8,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]),
      (sound, ["-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le"]),
    ] {
      let done = try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", path] + options + [output])
      guard done.status == 0 else { throw Tool.Failure(description: done.errors) }
    }
    let gray = Tool.bytes(of: pictures)
    guard gray.count == times.count * 64 else { throw Tool.Failure(description: "\(gray.count / 64) pictures, \(times.count) times") }
    var flashes: [Double] = []
    for (index, time) in times.enumerated() where gray[index * 64 + 27] > 128 {
      if index == 0 || gray[index * 64 - 37] <= 128 { flashes.append(time - start) }
    }
    // The sound is decoded without silence before it, so its own start counts.
    let soundStart =
      try Tool.lines(
        "ffprobe", "-v", "error", "-select_streams", "a:0", "-read_intervals", "%+#2", "-show_entries", "frame=best_effort_timestamp_time",
        "-of",
        "csv=p=0", path
      ).compactMap { Double($0.split(separator: ",").first ?? "") }.first ?? 0
    let bytes = Tool.bytes(of: sound)
    var clicks: [Double] = []
    var last = -1.0
    for index in 0..<(bytes.count / 2) {
      let sample = Int16(bitPattern: UInt16(bytes[index * 2]) | UInt16(bytes[index * 2 + 1]) << 8)
      let time = Double(index) / 48_000 + soundStart - start
      if abs(Int(sample)) > 8000, time - last > 0.3 {
        clicks.append(time)
        last = time
      }
    }
    return (flashes, clicks)
  }
}
