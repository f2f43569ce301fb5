/// Facts about media files by FFmpeg's own tools.
public enum Oracle {
  /// Frames that a full decode of the first video stream that is no attached picture gives; 0 without one.
  public static func videoFrameCount(_ path: String) throws -> Int {
    let outcome = try Tool.run(
      "ffmpeg", ["-nostdin", "-v", "error", "-i", path, "-map", "0:V:0?", "-an", "-fps_mode", "passthrough", "-f", "framecrc", "-"])
    return outcome.output.split(separator: "\n").filter { !$0.hasPrefix("#") }.count
  }
}
