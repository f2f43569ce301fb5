import Encoding
import FileAccess
import MediaCore

/// The segment cache as a task sees it: entries by key, asked for by name like any other file. Without a cache nothing is found and nothing
/// is kept. What cannot be written costs nothing other than the next render's time, so it is a warning.
final class SegmentStore {
  private let files: any Files
  private let isEnabled: Bool
  private(set) var warnings: [String] = []
  private var isWritable = true

  init(_ files: any Files, isEnabled: Bool) {
    self.files = files
    self.isEnabled = isEnabled
  }

  /// Whether there is an entry; it may still turn out to be damaged.
  func has(_ key: String) -> Bool { isEnabled && (try? files.openInput(CachedFiles.prefix + key)) != nil }

  /// The segment stored under `key`; nil when there is none, or it is damaged, which is a warning.
  func segment(_ key: String) -> EncodedSegment? {
    guard let bytes = bytes(key, atMost: 1 << 30) else { return nil }
    guard let segment = EncodedSegment(stored: bytes, key: key) else {
      warnings.append("a damaged entry of the segment cache was passed over")
      return nil
    }
    return segment
  }

  func save(_ segment: EncodedSegment, as key: String, timeBase: Rational) { save(key, segment.stored(key: key, timeBase: timeBase)) }

  /// All bytes of an entry.
  func bytes(_ key: String, atMost limit: Int64) -> [UInt8]? {
    guard isEnabled, let input = try? files.openInput(CachedFiles.prefix + key), input.snapshot.byteCount <= limit else { return nil }
    let size = Int(input.snapshot.byteCount)
    let bytes = input.descriptor.bytes(at: 0, count: size)
    return bytes.count == size ? bytes : nil
  }

  func save(_ key: String, _ bytes: [UInt8]) {
    guard isEnabled, isWritable else { return }
    do throws(MediaError) {
      let name = CachedFiles.prefix + key
      let output = try files.createOutput(name)
      try output.write(bytes)
      try files.completeOutput(name)
    } catch {
      isWritable = false
      warnings.append("the segment cache cannot be written: \(error.reason)")
    }
  }
}
