internal import CSystem

/// What holds a worker back, as the kernel itself answered after the worker had sealed itself.
public struct IsolationReport: Hashable, Sendable, Codable {
  /// Landlock ABI whose rights are in force; 0 when the kernel has none.
  public var landlockABI: Int
  /// Landlock ABI that the kernel offers.
  public var kernelLandlockABI: Int
  /// `Seccomp:` of /proc/PID/status: 2 is a filter.
  public var seccompMode: Int
  public var noNewPrivileges: Bool
  /// False in a sealed worker: nobody but root reads its memory.
  public var isDumpable: Bool
  /// Capabilities in the permitted or effective set; 0 in a sealed worker.
  public var capabilities: Int
  /// Resource limits in force.
  public var resourceLimits: Int
  /// What this kernel could not enforce, in words; the system call filter still denies these.
  public var notEnforced: [String]

  init(_ report: rw_seal_report_t) {
    landlockABI = Int(report.landlock_abi)
    kernelLandlockABI = Int(report.kernel_landlock_abi)
    seccompMode = Int(report.seccomp_mode)
    noNewPrivileges = report.no_new_privileges == 1
    isDumpable = report.dumpable != 0
    capabilities = Int(report.capabilities_left)
    resourceLimits = Int(report.limits_set)
    notEnforced = []
    switch landlockABI {
    case ..<1: notEnforced = ["Landlock: none; paths are denied by the system call filter alone"]
    case 1: notEnforced = ["Landlock: truncation, TCP, device controls, abstract sockets, signals"]
    case 2: notEnforced = ["Landlock: truncation, TCP, device controls, abstract sockets, signals"]
    case 3: notEnforced = ["Landlock: TCP, device controls, abstract sockets, signals"]
    case 4: notEnforced = ["Landlock: device controls, abstract sockets, signals"]
    case 5: notEnforced = ["Landlock: abstract sockets, signals"]
    default: break
    }
    if report.bounding_left > 0 {
      notEnforced.append("capability bounding set: kept by an unprivileged process; no-new-privileges makes it void")
    }
  }
}

extension IsolationReport {
  /// The same in words, for the reports of tasks.
  public var summary: [String: String] {
    [
      "process": "worker", "landlock": landlockABI > 0 ? "ABI \(landlockABI)" : "none",
      "seccomp": seccompMode == 2 ? "filter" : "mode \(seccompMode)", "capabilities": "\(capabilities)",
      "notEnforced": notEnforced.joined(separator: "; "),
    ]
  }
}

extension IsolationReport {
  var body: [UInt8] {
    var writer = WireWriter()
    for value in [landlockABI, kernelLandlockABI, seccompMode, capabilities, resourceLimits] { writer.write(Int64(value)) }
    writer.write(noNewPrivileges)
    writer.write(isDumpable)
    writer.write(UInt32(notEnforced.count))
    for line in notEnforced { writer.write(line) }
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    landlockABI = Int(try reader.readInt64())
    kernelLandlockABI = Int(try reader.readInt64())
    seccompMode = Int(try reader.readInt64())
    capabilities = Int(try reader.readInt64())
    resourceLimits = Int(try reader.readInt64())
    noNewPrivileges = try reader.readBool()
    isDumpable = try reader.readBool()
    notEnforced = []
    for _ in 0..<(try reader.readUInt32()) { notEnforced.append(try reader.readString()) }
    try reader.finish()
  }
}
