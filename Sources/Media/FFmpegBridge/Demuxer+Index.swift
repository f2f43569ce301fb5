import CFFmpeg
import CShims
import FileAccess
import Glibc
public import MediaCore

/// One sample in a container's index.
public struct IndexEntry: Hashable, Sendable {
  /// Decode time in the stream's ticks (that is what MP4 stores; seeking takes presentation time).
  public var decodeTicks: Int64
  public var position: Int64
  public var byteCount: Int
  public var isKeyframe: Bool
  public var isDiscarded: Bool
}

extension Demuxer {
  /// How many samples the container's index lists for a stream; 0 when it has none.
  public func indexCount(of stream: Int) -> Int { Int(avformat_index_get_entries_count(context.pointee.streams[stream])) }

  /// Sample `position` of the index of `stream`.
  public func indexEntry(_ position: Int, of stream: Int) -> IndexEntry? {
    guard let entry = avformat_index_get_entry(context.pointee.streams[stream], Int32(position)) else { return nil }
    return IndexEntry(
      decodeTicks: entry.pointee.timestamp, position: entry.pointee.pos, byteCount: Int(entry.pointee.size),
      isKeyframe: entry.pointee.flags & AVINDEX_KEYFRAME != 0, isDiscarded: entry.pointee.flags & AVINDEX_DISCARD_FRAME != 0)
  }

  /// Moves to the last keyframe of `stream` whose presentation time is at or before `ticks` (the stream's own clock,
  /// not normalised).
  public mutating func seek(stream: Int, ticks: Int64) throws(MediaError) {
    let status = environment.diagnostics.collecting { av_seek_frame(context, Int32(stream), ticks, AVSEEK_FLAG_BACKWARD) }
    guard status >= 0 else {
      throw FFmpegError.make(status, "cannot seek in \(input.displayName)", path: input.displayName, diagnostics: environment.diagnostics)
    }
  }

  /// Moves to the start of the file.
  public mutating func rewind() throws(MediaError) {
    var status = environment.diagnostics.collecting { avformat_seek_file(context, -1, Int64.min, Int64.min, Int64.max, 0) }
    if status < 0 {
      status = environment.diagnostics.collecting { avformat_seek_file(context, -1, 0, 0, 0, AVSEEK_FLAG_BYTE) }
    }
    guard status >= 0 else {
      throw FFmpegError.make(status, "cannot rewind \(input.displayName)", path: input.displayName, diagnostics: environment.diagnostics)
    }
  }

  /// Looks for signs that the file is cut short or changed while it was read, and books them.
  func noteWhetherComplete() {
    let damage = environment.damage
    if rw_input_passed_end(bytes) {
      damage.noteIncomplete("its tables point beyond its end (\(input.snapshot.byteCount) bytes)")
    }
    for line in environment.diagnostics.lines where Demuxer.truncationMarks.contains(where: { line.contains($0) }) {
      damage.noteIncomplete(line)
    }
    for stream in streams where !isForeign && (stream.kind == .video || stream.kind == .audio) {
      let count = indexCount(of: stream.index)
      guard count > 0, let last = indexEntry(count - 1, of: stream.index) else { continue }
      if last.byteCount > 0, last.position + Int64(last.byteCount) > input.snapshot.byteCount {
        damage.noteIncomplete("its index lists samples beyond its end (\(input.snapshot.byteCount) bytes)")
        break
      }
    }
    if Demuxer.statingLength.contains(format), let stream = streams.first, let length = stream.duration, let end = ends.first ?? nil {
      let found = MediaTime(ticks: end, timeBase: stream.timeBase) - (stream.startTime ?? .zero)
      if found < length { damage.noteIncomplete("it states \(length) of sound and holds \(found)") }
    }
    if let now = FileSnapshot(of: input.descriptor.rawValue), now != input.snapshot {
      damage.noteIncomplete("the file changed while it was read")
    }
  }

  /// Coded pictures one after the other without a container.
  static var bareFormats: Set<String> { ["h264", "hevc", "m4v", "mpegvideo", "h263", "h261", "vc1"] }

  /// Formats whose header states the exact length of the sound.
  static var statingLength: Set<String> { ["flac", "tta", "ape", "wv", "tak", "aiff", "au", "caf", "w64"] }

  /// What FFmpeg's demuxers log when a file ends too early.
  private static var truncationMarks: [String] { ["partial file", "File ended prematurely", "truncated", "Truncat", "Packet corrupt"] }
}
