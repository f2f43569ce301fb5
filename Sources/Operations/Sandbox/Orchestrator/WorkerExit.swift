internal import CSystem

/// How a worker process ended.
struct WorkerExit: Hashable, Sendable {
  /// Exit statuses of a worker that got no thread for its task: for want of address space, or of a place among the user's processes.
  static let noMemoryForThread: Int32 = 71
  static let noThread: Int32 = 75

  /// nil when somebody else reaped it.
  var status: Int32?
  /// The signal that killed it; 0 when it exited.
  var signal: Int32 = 0
  var cpuSeconds: Double = 0
  var peakResidentBytes: Int64 = 0
  /// Whether the template that had forked it is gone, with which every one of its workers ends; `signal` is then how the template
  /// ended, 0 when nothing is known of that.
  var endedWithTemplate = false

  init(_ ended: rw_exit_t) {
    status = ended.exit_status
    signal = ended.signal
    cpuSeconds = Double(ended.cpu_microseconds) / 1_000_000
    peakResidentBytes = ended.peak_kibibytes * 1024
  }

  /// An end that nobody can tell anything about.
  static let unknown = WorkerExit()

  /// The end of a worker whose template is gone.
  static func withTemplate(_ template: WorkerExit?) -> WorkerExit {
    var exit = WorkerExit()
    exit.endedWithTemplate = true
    exit.signal = template?.signal ?? 0
    return exit
  }

  private init() {}
}

extension WorkerExit {
  var body: [UInt8] {
    var writer = WireWriter()
    writer.write(Int64(status ?? -1))
    writer.write(Int64(signal))
    writer.write(cpuSeconds)
    writer.write(peakResidentBytes)
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    let status = try reader.readInt64()
    let signal = try reader.readInt64()
    self.status = status < 0 ? nil : Int32(truncatingIfNeeded: status)
    self.signal = Int32(truncatingIfNeeded: signal)
    cpuSeconds = try reader.readDouble()
    peakResidentBytes = try reader.readInt64()
    try reader.finish()
  }
}
