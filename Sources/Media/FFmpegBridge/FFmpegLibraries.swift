import CFFmpeg
import CShims

/// What the linked FFmpeg is.
public enum FFmpegLibraries {
  /// `"5.1.6-0+deb12u1"`.
  public static var version: String { String(cString: rw_ffmpeg_version()) }
  /// How it was configured, which decides its licence.
  public static var configuration: String { String(cString: avcodec_configuration()) }
  public static var licence: String { String(cString: avcodec_license()) }
}
