/// Facts about media files by FFmpeg's own tools.
public enum Oracle {
  /// Frames that a full decode of the first video stream that is no attached picture gives; 0 without one.
  public static func videoFrameCount(_ path: String) throws -> Int {
    // ffmpeg takes some covers for video all the same.
    let streams = try Tool.run(
      "ffprobe", ["-v", "error", "-select_streams", "V", "-show_entries", "stream_disposition=attached_pic", "-of", "csv=p=0", path])
    if streams.output.split(separator: "\n").first?.hasPrefix("1") ?? true { return 0 }
    let outcome = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-i", path, "-map", "0:V:0?", "-an", "-fps_mode", "passthrough", "-f", "framecrc", "-"])
    return outcome.output.split(separator: "\n").filter { !$0.hasPrefix("#") }.count
  }
}

extension Oracle {
  /// Whether FFmpeg's decoders or demuxers log errors over a full decode (muxer complaints about times left aside).
  public static func decodeErrors(_ path: String) throws -> Bool {
    let outcome = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-i", path, "-map", "0:v?", "-map", "0:a?", "-fps_mode", "passthrough", "-f", "null", "-"])
    return outcome.errors.split(separator: "\n").contains { $0.hasPrefix("[") && !$0.hasPrefix("[null @") }
  }
}
