import Glibc
import TestSupport

/// Small clips made by the `ffmpeg` tool once for the whole run.
enum MadeClip {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static let folder: String = {
    var template = Array("\(String(cString: getenv("TMPDIR") ?? strdup("/tmp")))/reel-clips-XXXXXX".utf8CString)
    mkdtemp(&template)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    folderToRemove = path
    atexit { MadeClip.removeAll() }
    return path
  }()

  private nonisolated(unsafe) static var folderToRemove = ""

  private static func removeAll() { _ = try? Tool.run("rm", ["-rf", folderToRemove]) }

  /// Makes `name` with the arguments after `ffmpeg -y` unless it is there already.
  static func make(_ name: String, _ arguments: [String]) throws -> String {
    let path = folder + "/" + name
    if access(path, R_OK) == 0 { return path }
    let partial = folder + "/" + "part\(getpid())-\(pthread_self())-" + name
    let outcome = try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-y"] + arguments + [partial])
    guard outcome.status == 0 else { throw Failure(description: "ffmpeg \(arguments): \(outcome.errors)") }
    rename(partial, path)
    return path
  }

  static let picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4"]
  private static let quick = ["-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1"]

  /// H.264 with a B pyramid, a keyframe a second.
  static func h264() throws -> String {
    try make("h264.mp4", picture + ["-c:v", "libx264", "-g", "30", "-bf", "3", "-x264-params", "b-pyramid=normal:scenecut=0"] + quick)
  }

  /// The codecs and containers whose frames are compared with the oracle: name and arguments.
  static let kinds: [(name: String, arguments: [String])] = [
    ("pyramid.mp4", picture + ["-c:v", "libx264", "-g", "30", "-bf", "3", "-x264-params", "b-pyramid=normal:scenecut=0"] + quick),
    ("open.mkv", picture + ["-c:v", "libx264", "-g", "24", "-bf", "2", "-x264-params", "open-gop=1:scenecut=0"] + quick),
    ("noindex.ts", picture + ["-c:v", "libx264", "-g", "20", "-bf", "2"] + quick),
    ("fragmented.mp4", picture + ["-c:v", "libx264", "-g", "20", "-bf", "2", "-movflags", "frag_keyframe+empty_moov"] + quick),
    ("offset.mp4", picture + ["-output_ts_offset", "7.3", "-c:v", "libx264", "-g", "20", "-bf", "2"] + quick),
    (
      "vfr.mp4",
      picture + ["-vf", "select='not(between(mod(n,17),3,5))'", "-vsync", "vfr", "-c:v", "libx264", "-g", "40", "-bf", "2"] + quick
    ),
    (
      "hevc.mp4",
      picture + ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=40:bframes=4:b-pyramid=1:log-level=none:pools=1"]
    ),
    ("vp9.webm", picture + ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30", "-threads", "1"]),
    (
      "vp8.webm",
      picture + [
        "-c:v", "libvpx", "-deadline", "good", "-cpu-used", "5", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "40", "-threads", "1",
      ]
    ),
    ("mpeg4.avi", picture + ["-c:v", "mpeg4", "-bf", "2", "-g", "15", "-q:v", "5", "-threads", "1"]),
    ("mjpeg.mov", picture + ["-c:v", "mjpeg", "-q:v", "5", "-threads", "1"]),
    ("one.mp4", picture + ["-frames:v", "1", "-c:v", "libx264"] + quick),
  ]
}
