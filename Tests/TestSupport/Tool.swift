import Glibc

/// Runs other programs: the independent oracles.
public enum Tool {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }

  /// What a program did.
  public struct Outcome: Sendable {
    public var status: Int32
    public var output: String
    public var errors: String
  }

  /// Runs a program with its output going to pipes; a death by signal N gives status 128 + N.
  public static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    let folder = String(cString: getenv("TMPDIR") ?? strdup("/tmp"))
    var template = Array("\(folder)/reel-tool-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary folder") }
    let scratch = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
      unlink(scratch + "/out")
      unlink(scratch + "/err")
      rmdir(scratch)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, scratch + "/out", O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, scratch + "/err", O_WRONLY | O_CREAT, 0o600)
    var variables: [String] = []
    var cursor = environ
    while let entry = cursor.pointee {
      let text = String(cString: entry)
      if !environment.keys.contains(where: { text.hasPrefix($0 + "=") }) { variables.append(text) }
      cursor += 1
    }
    variables += environment.map { "\($0.key)=\($0.value)" }
    let argv = ([program] + arguments).map { strdup($0) } + [nil]
    let envp = variables.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var child = pid_t()
    let spawned = posix_spawnp(&child, program, &actions, nil, argv, envp)
    guard spawned == 0 else { throw Failure(description: "cannot run \(program): \(String(cString: strerror(spawned)))") }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    return Outcome(status: code, output: text(of: scratch + "/out"), errors: text(of: scratch + "/err"))
  }

  /// Runs a program that must end with status 0; throws what it said when it does not.
  @discardableResult
  public static func succeed(_ program: String, _ arguments: String...) throws -> Outcome {
    try succeed(program, arguments)
  }

  private static func succeed(_ program: String, _ arguments: [String]) throws -> Outcome {
    let outcome = try run(program, arguments)
    guard outcome.status == 0 else { throw Failure(description: "\(program) \(arguments): \(outcome.status) \(outcome.errors)") }
    return outcome
  }

  /// Mean absolute difference of two runs of samples; infinite where their lengths differ.
  public static func meanError(_ a: [UInt8], _ b: [UInt8]) -> Double {
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    return Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
  }

  /// The lines that a program prints; throws when it fails.
  public static func lines(_ program: String, _ arguments: String...) throws -> [String] {
    let outcome = try succeed(program, arguments)
    return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The bytes of a file; empty when it cannot be read.
  public static func bytes(of path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = fread(&buffer, 1, buffer.count, file)
      if got == 0 { return result }
      result += buffer[..<got]
    }
  }

  private static func text(of path: String) -> String { String(decoding: bytes(of: path), as: UTF8.self) }
}
