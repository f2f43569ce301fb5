internal import CSandboxAttacks
import FileAccess
import Glibc
import MediaCore
import Sandbox

enum Attacks {
  @Sendable static func handle(_ task: WorkerTask) throws(MediaError) -> [UInt8] {
    let text = String(decoding: task.payload, as: UTF8.self)
    switch task.kind {
    case "echo": return task.payload
    case "attack": return text.withCString { bytes(attack_run($0)) }
    case "isolation": return Array("\(task.isolation.seccompMode) \(task.isolation.landlockABI) \(task.isolation.capabilities)".utf8)
    case "limits": return Limits.all.flatMap { Array("\($0.name)=\(task.limits[keyPath: $0.path]) ".utf8) }
    case "descriptors": return bytes(attack_open_descriptor(4))
    case "environment": return environmentBytes()
    case "crash": attack_crash()
    case "abort": abort()
    case "trap": preconditionFailure("on purpose")
    case "exit": exit(Int32(text) ?? 0)
    case "allocate": return bytes(attack_allocate(Int(text) ?? 0))
    case "grow":
      var all: [[UInt8]] = []
      while true { all.append([UInt8](repeating: 1, count: 1 << 20)) }
    case "copy": return try copy(task)
    case "open": return Array(try task.files.openInput(text).displayName.utf8)
    case "open-and-crash":
      _ = try task.files.openInput(text)
      attack_crash()
    case "hoard": return try hoard(task)
    case "scratch":
      let scratch = try task.files.createScratch()
      return bytes(Int32(pwrite(scratch.rawValue, text, text.utf8.count, 0)))
    case "fill":
      let output = try task.files.createOutput("out")
      let block = [UInt8](repeating: 7, count: 1 << 16)
      for step in 0..<64 where pwrite(output.descriptor.rawValue, block, block.count, off_t(step << 16)) != block.count {
        throw MediaError(.io, "cannot write", reason: String(cString: strerror(errno)))
      }
      return []
    case "report":
      for step in 0...10 {
        task.progress(Progress(stage: "test", done: Double(step) / 10, frames: Int64(step), fps: .infinity, etaSeconds: nil))
        task.log("line \(step)")
      }
      return []
    case "fail": throw MediaError(.damaged, "cannot do \(text)", path: "p", reason: "r", advice: "a", details: ["d1", "d2"])
    case "wait":
      task.log("waiting")
      while true {
        try task.cancellation.check("cannot wait")
        task.progress(Progress(stage: "wait", done: nil, frames: 0, fps: 0, etaSeconds: nil))
        usleep(5000)
      }
    case "hang":
      task.progress(Progress(stage: "hang", done: nil, frames: 0, fps: 0, etaSeconds: nil))
      while true { usleep(100_000) }
    case "spin": while true {}
    case "raw":
      // What the test wrote, straight into the socket.
      task.payload.withUnsafeBytes { _ = write(3, $0.baseAddress, $0.count) }
      while true { usleep(100_000) }
    case "flood":
      let line = [UInt8](repeating: 65, count: 4096)
      while true { _ = write(2, line, line.count) }
    case "flood-log": while true { task.log("x") }
    case "close":
      close(3)
      while true { usleep(100_000) }
    case "threads": return threads()
    default: throw MediaError(.usage, "cannot \(task.kind)", reason: "no such task")
    }
    return []
  }

  private static func bytes(_ number: Int32) -> [UInt8] { Array(String(number).utf8) }

  private static func environmentBytes() -> [UInt8] {
    var result: [UInt8] = []
    var variable = environ
    while let text = variable.pointee {
      result += Array((String(cString: text) + "\n").utf8)
      variable += 1
    }
    return result
  }

  /// Copies input "in" to output "out" by positioned reads and writes.
  private static func copy(_ task: WorkerTask) throws(MediaError) -> [UInt8] {
    let input = try task.files.openInput("in")
    let output = try task.files.createOutput("out")
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var position = 0
    while position < input.snapshot.byteCount {
      let count = pread(input.descriptor.rawValue, &buffer, buffer.count, off_t(position))
      guard count > 0, pwrite(output.descriptor.rawValue, buffer, count, off_t(position)) == count else {
        throw MediaError(.io, "cannot copy", reason: String(cString: strerror(errno)))
      }
      position += count
    }
    // The state by fstat: in the sealed process that is a trapped call.
    guard FileSnapshot(of: input.descriptor.rawValue) == input.snapshot else {
      throw MediaError(.incomplete, "cannot copy", reason: "the input changed")
    }
    return Array("\(input.displayName) \(position)".utf8)
  }

  /// Keeps every descriptor that it can get.
  private static func hoard(_ task: WorkerTask) throws(MediaError) -> [UInt8] {
    var kept: [Descriptor] = []
    for _ in 0..<10_000 { kept.append(try task.files.createScratch()) }
    return bytes(Int32(kept.count))
  }

  /// Sixteen threads that allocate, and the sum of what they return.
  private static func threads() -> [UInt8] {
    var handles: [pthread_t] = []
    for _ in 0..<16 {
      var handle = pthread_t()
      let result = pthread_create(&handle, nil, { _ in UnsafeMutableRawPointer(bitPattern: (0..<1000).map { $0 }.count) }, nil)
      if result == 0 { handles.append(handle) }
    }
    var sum = 0
    for handle in handles {
      var value: UnsafeMutableRawPointer?
      pthread_join(handle, &value)
      sum += Int(bitPattern: value)
    }
    return bytes(Int32(sum))
  }
}
