public import FileAccess
public import MediaCore

/// The segment cache as a task sees it: entries by key, asked for by name like any other file. Without a cache nothing is found and nothing
/// is kept. What cannot be written costs nothing other than the next run's time, so it is a warning.
public final class SegmentStore {
  private let files: any Files
  private let isEnabled: Bool
  public private(set) var warnings: [String] = []
  private var isWritable = true

  /// - Parameter isEnabled: false: nothing is found and nothing is kept.
  public init(_ files: any Files, isEnabled: Bool) {
    self.files = files
    self.isEnabled = isEnabled
  }

  /// Whether there is an entry; it may still turn out to be damaged.
  public func has(_ key: String) -> Bool { isEnabled && (try? files.openInput(CachedFiles.prefix + key)) != nil }

  /// The segment stored under `key`; nil when there is none, or it is damaged, which is a warning.
  public func segment(_ key: String) -> EncodedSegment? {
    guard let bytes = bytes(key, atMost: 1 << 30) else { return nil }
    guard let segment = EncodedSegment(stored: bytes, key: key) else {
      warnings.append("a damaged entry of the segment cache was passed over")
      return nil
    }
    return segment
  }

  /// Keeps a segment under `key`; its packets' times are in `timeBase`.
  public func save(_ segment: EncodedSegment, as key: String, timeBase: Rational) {
    save(key, segment.stored(key: key, timeBase: timeBase))
  }

  /// All bytes of an entry; nil when there is none, or it is longer than `limit`.
  public func bytes(_ key: String, atMost limit: Int64) -> [UInt8]? {
    guard isEnabled, let input = try? files.openInput(CachedFiles.prefix + key), input.snapshot.byteCount <= limit else { return nil }
    let size = Int(input.snapshot.byteCount)
    let bytes = input.descriptor.bytes(at: 0, count: size)
    return bytes.count == size ? bytes : nil
  }

  /// Keeps `bytes` under `key`.
  public func save(_ key: String, _ bytes: [UInt8]) {
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
