import Glibc

/// An open file descriptor that closes when its last reference goes away.
///
/// Safe to share: the number never changes, and positioned reads and writes do not touch a shared offset.
public final class Descriptor: Sendable {
  public let rawValue: Int32

  /// Takes ownership of `rawValue`.
  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }
}
