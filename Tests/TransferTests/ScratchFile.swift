import Glibc
import LoopbackServer

/// A file without a name.
final class ScratchFile {
  let descriptor: Int32

  init(_ bytes: [UInt8] = []) throws {
    var template = Array("/tmp/reelwright-transfer-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    unlink(template)
    guard descriptor >= 0, bytes.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count else {
      throw LoopbackServer.Failure(reason: "no scratch file")
    }
  }

  deinit { close(descriptor) }

  func bytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    return Array(bytes.prefix(max(count, 0)))
  }
}
