internal import CSodium

/// Key material that is wiped when its last reference goes away and never printed.
///
/// Equality takes the same time wherever the difference is. Immutable, so it may cross threads.
public final class SecretBytes: @unchecked Sendable {
  // The buffer is written only in the initialiser and in deinit.
  private let storage: UnsafeMutableRawBufferPointer

  /// Copies `bytes`; the caller's copy remains the caller's to wipe (`SecretBytes.wipe`).
  public init(_ bytes: [UInt8]) {
    storage = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
    storage.copyBytes(from: bytes)
    count = bytes.count
  }

  /// Fresh random bytes.
  public convenience init(randomByteCount: Int) {
    var bytes = SecureRandom.bytes(randomByteCount)
    self.init(bytes)
    Self.wipe(&bytes)
  }

  deinit {
    if let base = storage.baseAddress { sodium_memzero(base, storage.count) }
    storage.deallocate()
  }

  public let count: Int

  /// A copy of the bytes, for writing a key file. Wipe it after use.
  public func exposedBytes() -> [UInt8] { Array(storage.prefix(count)) }

  /// Overwrites `bytes` with zeros in a way that the optimiser keeps, and empties it.
  ///
  /// Copies that were made of the array before are not reached.
  public static func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { buffer in
      if let base = buffer.baseAddress { sodium_memzero(base, buffer.count) }
    }
    bytes = []
  }

  /// A key of `byteCount` bytes (16…64) for one purpose: BLAKE2b of `label` keyed with this secret. Keys with
  /// different labels tell nothing about one another or about this one.
  public func derived(_ label: String, byteCount: Int = 32) -> SecretBytes {
    var bytes = BLAKE2b.digest(of: Array(label.utf8), key: self, byteCount: byteCount)
    defer { Self.wipe(&bytes) }
    return SecretBytes(bytes)
  }

  func withPointer<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    body(UnsafePointer(storage.baseAddress!.assumingMemoryBound(to: UInt8.self)))
  }
}

extension SecretBytes: Equatable {
  public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
    guard left.count == right.count else { return false }
    return left.withPointer { first in right.withPointer { second in sodium_memcmp(first, second, left.count) == 0 } }
  }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
  /// Never the bytes: `"<secret, 32 bytes>"`.
  public var description: String { "<secret, \(count) bytes>" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && (left.isEmpty || sodium_memcmp(left, right, left.count) == 0)
}
