import COpenSSL
import FFmpegBridge
import MediaCore
import TestSupport

/// What the `ffmpeg` tool says about the frames of a file: times and MD5 of the samples, in order.
struct FrameOracle {
  let timeBase: Rational
  let frames: [(ticks: Int64, md5: String)]

  /// Times are those of the file's own clock, so that the tool's rounding of the start time plays no part. Passthrough with the stream's own time base: without that, FFmpeg 5.1 rounds the times of VFR files to the frame rate.
  init(_ path: String) throws {
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-copyts", "-noautorotate", "-i", path, "-map", "0:v:0", "-vsync", "passthrough", "-enc_time_base", "-1",
        "-f",
        "framemd5", "-",
      ])
    var timeBase = Rational(1)
    var frames: [(Int64, String)] = []
    var duration: Int64 = 0
    for line in outcome.output.split(separator: "\n") {
      if line.hasPrefix("#tb 0: ") { timeBase = Rational(line.dropFirst(7)) ?? timeBase }
      guard !line.hasPrefix("#") else { continue }
      let fields = line.split(separator: ",").map { $0.trimmed }
      guard fields.count == 6, let pts = Int64(fields[2]) else { continue }
      if frames.isEmpty { duration = Int64(fields[3]) ?? 0 }
      frames.append((pts, fields[5]))
    }
    self.timeBase = timeBase
    let packets = try Tool.run("ffprobe", ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts", "-of", "csv=p=0", path])
    let hasTimes = packets.output.contains { $0.isNumber }
    // Without times frame n starts after n frames; what the tool adds up drifts, and ends in half steps when it drains.
    self.frames = hasTimes ? frames.sorted { $0.0 < $1.0 } : frames.enumerated().map { (Int64($0) * duration, $1.1) }
  }

  func time(_ place: Int) -> MediaTime { MediaTime(ticks: frames[place].ticks, timeBase: timeBase) }

  /// The place of the last frame at or before `time`, the first for earlier times; nil when the time lies within a tick
  /// of the start of a frame, where the tool's rounding of the start time decides.
  func place(at time: MediaTime, start: MediaTime) -> Int? {
    let ticks = ((time + start).seconds / timeBase).floor
    guard let place = frames.lastIndex(where: { $0.ticks <= ticks }) else { return 0 }
    if ticks - frames[place].ticks < 1 || (place + 1 < frames.count && frames[place + 1].ticks - ticks < 2) { return nil }
    return place
  }

  /// Whether two frames show the same samples at the same time, so that either is right.
  func isAmbiguous(_ place: Int) -> Bool {
    place + 1 < frames.count && frames[place].ticks == frames[place + 1].ticks
      || place > 0 && frames[place].ticks == frames[place - 1].ticks
  }
}

extension Substring {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}

/// MD5 of the samples of a frame without padding, as FFmpeg's `framemd5` computes it.
func md5(_ frame: VideoFrame) -> String {
  let context = EVP_MD_CTX_new()
  defer { EVP_MD_CTX_free(context) }
  EVP_DigestInit_ex(context, EVP_md5(), nil)
  for plane in 0..<frame.format.planeCount {
    frame.withPlane(plane) { view in
      for y in 0..<view.rowCount {
        view.row(y).withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
      }
    }
  }
  var digest = [UInt8](repeating: 0, count: 16)
  EVP_DigestFinal_ex(context, &digest, nil)
  return digest.map { byte in
    let text = String(byte, radix: 16)
    return byte < 16 ? "0" + text : text
  }.joined()
}
