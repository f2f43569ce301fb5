internal import Crypto
internal import Storage
internal import Synchronization

/// The keys that come from the installation's master key, and the payload keys that it wraps.
///
/// A payload key is random, serves one project, one retention class and one span of time, and stands in the database
/// sealed under the wrapping key. Once its row is gone, nothing can open the payloads again.
final class LogKeys: Sendable {
  private let macKey: SecretBytes
  private let wrappingKey: SecretBytes
  /// Unwrapped keys by id, with the wrapped form that they came from: another process may have destroyed the key and
  /// used its number again.
  private let cache = Mutex<[Int64: (wrapped: [UInt8], key: SecretBytes)]>([:])

  init(master: SecretBytes) {
    macKey = master.derived("reelwright log mac 1")
    wrappingKey = master.derived("reelwright log wrap 1")
  }

  /// A 16-byte authentication code over a purpose and what it covers.
  func mac(_ purpose: String, _ parts: [UInt8]) -> [UInt8] {
    BLAKE2b.digest(of: Array("\(purpose)|".utf8) + parts, key: macKey, byteCount: 16)
  }

  func isValid(_ mac: [UInt8], _ purpose: String, _ parts: [UInt8]) -> Bool { constantTimeEquals(mac, self.mac(purpose, parts)) }

  /// The key that `id` stands for; throws `damaged` when it cannot be unwrapped.
  func key(_ id: Int64, wrapped: [UInt8]) throws(MetadataLogError) -> SecretBytes {
    if let found = cache.withLock({ $0[id] }), found.wrapped == wrapped { return found.key }
    guard var bytes = try? SealedPayload.open(wrapped, key: wrappingKey, associatedData: id.bigEndianBytes), bytes.count == 32 else {
      throw MetadataLogError(
        .damaged, "cannot read the log", reason: "payload key \(id) was changed, or the log belongs to another key file")
    }
    let key = SecretBytes(bytes)
    SecretBytes.wipe(&bytes)
    remember(id, wrapped, key)
    return key
  }

  /// A new key and its wrapped form.
  func makeKey(_ id: Int64) -> (key: SecretBytes, wrapped: [UInt8]) {
    let key = SecretBytes(randomByteCount: 32)
    var bytes = key.exposedBytes()
    defer { SecretBytes.wipe(&bytes) }
    let wrapped = SealedPayload.seal(bytes, key: wrappingKey, associatedData: id.bigEndianBytes)
    remember(id, wrapped, key)
    return (key, wrapped)
  }

  /// Forgets every unwrapped key: called when keys were destroyed.
  func forget() { cache.withLock { $0 = [:] } }

  private func remember(_ id: Int64, _ wrapped: [UInt8], _ key: SecretBytes) {
    cache.withLock { cache in
      // Few keys are in use at a time; a long-running process must not collect every hour's.
      if cache.count >= 256 { cache = [:] }
      cache[id] = (wrapped, key)
    }
  }
}
