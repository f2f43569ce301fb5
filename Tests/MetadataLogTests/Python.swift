import Glibc
import Testing

/// Python as an oracle that shares no code with us.
enum Python {
  static func has(_ module: String) -> Bool { status("import \(module)") == 0 }

  /// The standard output of a program; a failure is recorded.
  static func run(_ program: String, _ arguments: String...) throws -> String {
    var template = Array("/tmp/reelwright-python-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    defer { close(descriptor) }
    unlink(template)
    let status = status(program, arguments, output: descriptor)
    #expect(status == 0)
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  private static func status(_ program: String, _ arguments: [String] = [], output: Int32? = nil) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output {
      posix_spawn_file_actions_adddup2(&actions, output, 1)
    } else {
      posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }
    var pointers: [UnsafeMutablePointer<CChar>?] = (["python3", "-B", "-c", program] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    guard posix_spawnp(&process, "python3", &actions, nil, &pointers, environ) == 0 else { return -1 }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return status
  }
}
