import Glibc

/// Tells the service manager how a daemon does: the datagram protocol of `sd_notify(3)`. Does nothing without
/// `$NOTIFY_SOCKET`. Safe to use from any thread.
public struct ServiceNotifier: Sendable {
  private let address: String?
  /// Microseconds after which the manager restarts a daemon that has not said `WATCHDOG=1`; nil without a watchdog.
  public let watchdogMicroseconds: Int64?

  /// - Parameter environment: where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up. Default the process's.
  public init(environment: ((String) -> String?)? = nil) {
    let environment = environment ?? { name in getenv(name).map { String(cString: $0) } }
    address = environment("NOTIFY_SOCKET").flatMap { $0.isEmpty ? nil : $0 }
    let isMeant = environment("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
    watchdogMicroseconds = isMeant ? environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil } : nil
  }

  /// Sends lines such as `READY=1` or `STATUS=…`. Returns false when there is nobody to send to.
  @discardableResult
  public func send(_ text: String) -> Bool {
    guard let address, var target = UnixAddress(address) else { return false }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    // A service manager that does not read must not hold the daemon up.
    return target.withAddress { sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, $1) } == bytes.count
  }
}

/// The address of a unix socket; a leading `@` means the abstract name space.
struct UnixAddress {
  private var value = sockaddr_un()
  private let byteCount: socklen_t

  /// nil when the path is longer than the kernel takes (107 bytes).
  init?(_ path: String) {
    var bytes = Array(path.utf8)
    let capacity = MemoryLayout.size(ofValue: value.sun_path)
    guard !bytes.isEmpty, bytes.count < capacity else { return nil }
    let isAbstract = bytes[0] == UInt8(ascii: "@")
    if isAbstract { bytes[0] = 0 }
    value.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &value.sun_path) { $0.copyBytes(from: bytes) }
    let header = MemoryLayout<sockaddr_un>.size - capacity
    byteCount = socklen_t(header + bytes.count + (isAbstract ? 0 : 1))
  }

  mutating func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: &value) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, byteCount) } }
  }
}
