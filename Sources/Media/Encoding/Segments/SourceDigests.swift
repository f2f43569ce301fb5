import Crypto
public import FileAccess
public import MediaCore

/// The SHA-256 of each file that a task reads, remembered in the segment cache by device, inode, size and time of change.
public final class SourceDigests {
  private let files: any Files
  private let store: SegmentStore
  private let cancellation: Cancellation
  private var known: [String: String] = [:]

  public init(files: any Files, store: SegmentStore, cancellation: Cancellation) {
    self.files = files
    self.store = store
    self.cancellation = cancellation
  }

  /// The digest of the file that a task knows as `name`, 64 hex digits.
  public func digest(_ name: String) throws(MediaError) -> String {
    if let digest = known[name] { return digest }
    let input = try files.openInput(name)
    let snapshot = input.snapshot
    let identity = "source 1 \(snapshot.device) \(snapshot.inode) \(snapshot.byteCount) \(snapshot.modifiedNanoseconds)"
    let key = SHA256.digest(of: identity).hex
    if let remembered = store.bytes(key, atMost: 4096), let digest = SourceDigests.digest(of: remembered, identity: identity) {
      known[name] = digest
      return digest
    }
    let digest = try SHA256.digest(
      ofDescriptor: input.descriptor.rawValue, byteCount: snapshot.byteCount, name: input.displayName, cancellation: cancellation
    ).hex
    let note = "\(identity)\n\(digest)\n"
    store.save(key, Array((note + SHA256.digest(of: note).hex).utf8))
    known[name] = digest
    return digest
  }

  private static func digest(of bytes: [UInt8], identity: String) -> String? {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    guard lines.count == 3, lines[0] == identity, ContentCache.isKey(lines[1]),
      SHA256.digest(of: "\(lines[0])\n\(lines[1])\n").hex == lines[2]
    else { return nil }
    return lines[1]
  }
}
