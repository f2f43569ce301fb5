import FileAccess
import MediaCore

// The bodies of the frames. Each has `body` to send and `init(body:)` to receive; nothing received is trusted.

/// How a worker seals itself.
struct ConfigureMessage: Hashable {
  /// A template forks workers on request and never runs a task itself.
  var isTemplate = false
  /// Highest Landlock ABI to use; negative: whatever the kernel has.
  var landlockABILimit: Int64 = -1
  var addressSpaceBytes: Int64 = 0
  var cpuSeconds: Int64 = 0
  var fileBytes: Int64 = 0
  var openFiles: Int64 = 0
  /// Whether the encoders of two passes need memory for their statistics.
  var keepsStatistics = false

  init() {}

  var body: [UInt8] {
    var writer = WireWriter()
    writer.write(isTemplate)
    for value in [landlockABILimit, addressSpaceBytes, cpuSeconds, fileBytes, openFiles] { writer.write(value) }
    writer.write(keepsStatistics)
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    isTemplate = try reader.readBool()
    landlockABILimit = try reader.readInt64()
    addressSpaceBytes = try reader.readInt64()
    cpuSeconds = try reader.readInt64()
    fileBytes = try reader.readInt64()
    openFiles = try reader.readInt64()
    keepsStatistics = try reader.readBool()
    try reader.finish()
  }
}

/// The work itself.
struct StartMessage: Hashable {
  var kind: String
  var limits: Limits
  var threads: Int64
  var payload: [UInt8]

  init(kind: String, limits: Limits, threads: Int64, payload: [UInt8]) {
    self.kind = kind
    self.limits = limits
    self.threads = threads
    self.payload = payload
  }

  var body: [UInt8] {
    var writer = WireWriter()
    writer.reserve(payload.count + 256)
    writer.write(kind)
    writer.write(threads)
    writer.write(UInt32(Limits.all.count))
    for (name, path) in Limits.all {
      writer.write(name)
      writer.write(limits[keyPath: path])
    }
    writer.bytes.append(contentsOf: payload)
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    kind = try reader.readString()
    threads = min(max(try reader.readInt64(), 1), 1024)
    limits = Limits()
    for _ in 0..<min(try reader.readUInt32(), 1000) {
      let name = try reader.readString()
      let value = try reader.readInt64()
      guard let limit = Limits.all.first(where: { $0.name == name }) else { throw ProtocolViolation("unknown limit \(name)") }
      limits[keyPath: limit.path] = value
    }
    payload = reader.readRest()
  }
}

/// A worker asks for a file.
struct RequestMessage: Hashable {
  enum Operation: UInt8 {
    case input = 1
    case output, scratch
    /// All of an output is written; the answer carries no descriptor.
    case complete
  }

  var id: UInt32
  var operation: Operation
  var name: String

  init(id: UInt32, operation: Operation, name: String) {
    self.id = id
    self.operation = operation
    self.name = name
  }

  var body: [UInt8] {
    var writer = WireWriter()
    writer.write(id)
    writer.write(operation.rawValue)
    writer.write(name, maximum: 8192)
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    id = try reader.readUInt32()
    guard let operation = Operation(rawValue: try reader.readByte()) else { throw ProtocolViolation("unknown request") }
    self.operation = operation
    name = try reader.readString()
    try reader.finish()
  }
}

/// A file that was asked for. Its descriptor comes with the frame.
struct OpenedMessage: Hashable {
  var id: UInt32
  var displayName: String
  /// Of an input, as it was when the orchestrator opened it.
  var snapshot: FileSnapshot?

  init(id: UInt32, displayName: String, snapshot: FileSnapshot?) {
    self.id = id
    self.displayName = displayName
    self.snapshot = snapshot
  }

  var body: [UInt8] {
    var writer = WireWriter()
    writer.write(id)
    writer.write(displayName, maximum: 8192)
    writer.write(snapshot != nil)
    if let snapshot {
      writer.write(snapshot.device)
      writer.write(snapshot.inode)
      writer.write(snapshot.byteCount)
      writer.write(snapshot.modifiedNanoseconds)
      writer.write(snapshot.isRegular)
      writer.write(snapshot.isDirectory)
    }
    return writer.bytes
  }

  /// - Parameter descriptor: what came along; a snapshot is that of this descriptor with the sender's values.
  init(body: [UInt8], descriptor: Int32) throws(ProtocolViolation) {
    var reader = WireReader(body)
    id = try reader.readUInt32()
    displayName = try reader.readString()
    if try reader.readBool() {
      guard var snapshot = FileSnapshot(of: descriptor) else { throw ProtocolViolation("a descriptor without a state") }
      snapshot.device = try reader.readUInt64()
      snapshot.inode = try reader.readUInt64()
      snapshot.byteCount = try reader.readInt64()
      snapshot.modifiedNanoseconds = try reader.readInt64()
      snapshot.isRegular = try reader.readBool()
      snapshot.isDirectory = try reader.readBool()
      self.snapshot = snapshot
    }
    try reader.finish()
  }
}

/// A refusal of one request, or the failure of the task (`id` 0).
struct FailureMessage {
  var id: UInt32
  var error: MediaError

  init(id: UInt32, error: MediaError) {
    self.id = id
    self.error = error
  }

  var body: [UInt8] {
    var writer = WireWriter()
    writer.write(id)
    writer.write(error.code.name)
    writer.write(error.operation, maximum: 16 << 10)
    writer.write(error.path, maximum: 16 << 10)
    writer.write(error.reason, maximum: 16 << 10)
    writer.write(error.advice, maximum: 16 << 10)
    let details = error.details.prefix(64)
    writer.write(UInt32(details.count))
    for line in details { writer.write(line, maximum: 2048) }
    return writer.bytes
  }

  init(body: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(body)
    id = try reader.readUInt32()
    guard let code = MediaError.Code(name: try reader.readString()) else { throw ProtocolViolation("unknown error code") }
    let operation = try reader.readString()
    let path = try reader.readOptionalString()
    let reason = try reader.readString()
    let advice = try reader.readOptionalString()
    var details: [String] = []
    for _ in 0..<(try reader.readUInt32()) { details.append(try reader.readString()) }
    error = MediaError(code, operation, path: path, reason: reason, advice: advice, details: details)
    try reader.finish()
  }
}

extension Progress {
  var wireBody: [UInt8] {
    var writer = WireWriter()
    writer.write(stage, maximum: 256)
    writer.write(done != nil)
    writer.write(finite(done ?? 0))
    writer.write(frames)
    writer.write(finite(fps))
    writer.write(etaSeconds != nil)
    writer.write(finite(etaSeconds ?? 0))
    return writer.bytes
  }

  init(wireBody: [UInt8]) throws(ProtocolViolation) {
    var reader = WireReader(wireBody)
    let stage = try reader.readString()
    let hasDone = try reader.readBool()
    let done = try reader.readDouble()
    let frames = try reader.readInt64()
    let fps = try reader.readDouble()
    let hasETA = try reader.readBool()
    let eta = try reader.readDouble()
    try reader.finish()
    self.init(
      stage: stage, done: hasDone ? min(max(done, 0), 1) : nil, frames: max(frames, 0), fps: max(fps, 0),
      etaSeconds: hasETA ? max(eta, 0) : nil)
  }
}

private func finite(_ value: Double) -> Double { value.isFinite ? value : 0 }
