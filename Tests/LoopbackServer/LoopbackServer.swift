import Glibc

/// A Python server of `Tests/Fixtures` on 127.0.0.1, for one test. It ends when this object goes away, because its
/// standard input ends then; it also ends when the test process is killed.
public final class LoopbackServer {
  public struct Failure: Error {
    public let reason: String
    public init(reason: String) { self.reason = reason }
  }

  public let port: Int
  /// The file of the certificate authority that signed the server's certificate; nil without TLS.
  public let certificateAuthorities: String?
  /// The words after the port and the authority on the server's first line.
  public let announcement: [String]
  private let process: pid_t
  private let input: Int32

  /// - Parameters:
  ///   - script: file name in `Tests/Fixtures`.
  ///   - arguments: of the script.
  public init(_ script: String, _ arguments: String...) throws {
    signal(SIGPIPE, SIG_IGN)
    let fixtures = Self.fixtures
    var toServer: [Int32] = [0, 0]
    var fromServer: [Int32] = [0, 0]
    guard pipe(&toServer) == 0, pipe(&fromServer) == 0 else { throw Failure(reason: "no pipe") }
    // Close-on-exec, so that servers of parallel tests do not keep one another's pipes open.
    for descriptor in toServer + fromServer { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, toServer[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromServer[1], 1)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var process: pid_t = 0
    let words = ["python3", "-B", "\(fixtures)/\(script)"] + arguments
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    let status = posix_spawnp(&process, "python3", &actions, nil, &pointers, environ)
    close(toServer[0])
    close(fromServer[1])
    defer { close(fromServer[0]) }
    guard status == 0 else { throw Failure(reason: "python3 cannot be started") }
    self.process = process
    input = toServer[1]
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(fromServer[0], &byte, 1) == 1, byte != 10 { line.append(byte) }
    let parts = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
    guard let first = parts.first, let port = Int(first) else { throw Failure(reason: "\(script) did not start") }
    self.port = port
    let authority = parts.dropFirst().first
    certificateAuthorities = authority == "-" ? nil : authority
    announcement = Array(parts.dropFirst(2))
  }

  deinit {
    close(input)
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }

  /// The folder `Tests/Fixtures`.
  public static var fixtures: String {
    #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures"
  }

  /// `http://127.0.0.1:port` and `path`, or https when the server speaks TLS.
  public func url(_ path: String, host: String = "127.0.0.1") -> String {
    "\(certificateAuthorities == nil ? "http" : "https")://\(host):\(port)\(path)"
  }
}
