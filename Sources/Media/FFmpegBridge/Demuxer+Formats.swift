import CFFmpeg
import CShims
import FileAccess
import MediaCore

extension Demuxer {
  /// The container formats that are read; nothing that refers to other files (hls, dash, concat, sdp, image patterns).
  public static let formats = [
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "mpegts", "mpeg", "avi", "flv", "asf", "ogg", "mxf", "gxf", "nut",
    "ivf", "dv", "rm", "h264", "hevc", "m4v", "mpegvideo", "h263", "h261", "vc1", "obu", "av1", "dirac", "yuv4mpegpipe",
    "wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "dts", "flac", "wv", "ape", "tta", "amr", "amrnb", "amrwb",
    "truehd", "mlp", "tak", "loas", "voc",
    "gif", "apng", "png_pipe", "jpeg_pipe", "jpegls_pipe", "j2k_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "psd_pipe", "qoi_pipe",
    "tga_pipe", "dpx_pipe", "exr_pipe", "pam_pipe", "pbm_pipe", "pgm_pipe", "ppm_pipe", "pcx_pipe", "sgi_pipe", "sunrast_pipe",
    "gem_pipe", "hdr_pipe", "photocd_pipe", "xbm_pipe", "xpm_pipe", "xwd_pipe", "phm_pipe", "pfm_pipe", "pgmyuv_pipe",
  ]

  /// Formats that hold one still picture.
  public var isStillImage: Bool { format == "heif" || format.hasSuffix("_pipe") && !format.hasPrefix("yuv4") }

  /// Opens just enough of each decoder to learn the streams, within the limits.
  static func findStreams(_ context: UnsafeMutablePointer<AVFormatContext>, limits: Limits) -> Int32 {
    let count = Int(context.pointee.nb_streams)
    var options = [OpaquePointer?](repeating: nil, count: max(1, count))
    for index in 0..<count {
      av_dict_set(&options[index], "max_pixels", String(limits.pixelsPerFrame), 0)
      av_dict_set(&options[index], "threads", "1", 0)
    }
    defer { for index in 0..<count { av_dict_free(&options[index]) } }
    return options.withUnsafeMutableBufferPointer { avformat_find_stream_info(context, $0.baseAddress) }
  }

  /// The refusal of a file whose headers claim too much. Durations are not believed: fragments of longer recordings state
  /// those of the whole; the time that frames really reach is bounded where they are decoded.
  static func refusal(
    _ operation: String, _ input: InputFile, _ streams: [StreamInfo], _ limits: Limits,
    _ context: UnsafeMutablePointer<AVFormatContext>
  ) -> MediaError? {
    let path = input.displayName
    for stream in streams {
      if stream.kind == .video, stream.size.pixels > limits.pixelsPerFrame {
        return limits.refusal(operation, path: path, name: "pixels", found: stream.size.pixels, of: "pixels a frame (\(stream.size))")
      }
      if stream.kind == .video, stream.declaredFrameCount > limits.frames {
        return limits.refusal(operation, path: path, name: "frames", found: stream.declaredFrameCount, of: "frames")
      }
      let entries = Int64(avformat_index_get_entries_count(context.pointee.streams[stream.index]))
      if entries > limits.samples {
        return limits.refusal(operation, path: path, name: "samples", found: entries, of: "samples in its table")
      }
    }
    return nil
  }

  /// Why no demuxer took the file.
  static func explain(_ diagnostics: Diagnostics) -> String {
    let lines = diagnostics.lines
    if lines.contains(where: { $0.contains("whitelist") }) {
      return "its format is a playlist or refers to other files, which is not read"
    }
    if let line = lines.last(where: { $0.contains("moov atom not found") }) {
      return "it is cut short or damaged: \(line)"
    }
    return "it is damaged or not media" + (lines.last.map { ": \($0)" } ?? "")
  }

  static func dictionary(_ raw: OpaquePointer?) -> [String: String] {
    var result: [String: String] = [:]
    var entry: UnsafeMutablePointer<AVDictionaryEntry>?
    while let next = av_dict_get(raw, "", entry, AV_DICT_IGNORE_SUFFIX) {
      entry = next
      result[String(cString: next.pointee.key)] = String(cString: next.pointee.value)
    }
    return result
  }
}
