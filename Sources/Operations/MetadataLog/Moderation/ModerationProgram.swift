internal import FoundationEssentials
internal import Glibc

/// A moderation hook that is a program: it is started with a folder as its last argument, in which the frames are
/// `0001.jpg`, `0002.jpg` … and `frames.json` (their times in seconds), and answers on standard output with
/// `{"verdict":"allow"|"refuse"|"review","category":"…"}` and exit status 0.
///
/// The folder has mode 0700 and is removed afterwards; the program's environment is `PATH` only, its error output is
/// discarded, and it is killed after `timeoutSeconds`.
public struct ModerationProgram: ModerationHook {
  private let path: String
  private let arguments: [String]
  private let timeoutSeconds: Double

  /// - Parameters:
  ///   - path: of the program, absolute.
  ///   - timeoutSeconds: default 60.
  public init(path: String, arguments: [String] = [], timeoutSeconds: Double = 60) {
    self.path = path
    self.arguments = arguments
    self.timeoutSeconds = timeoutSeconds
  }

  public func verdict(on frames: [ModerationFrame]) throws -> ModerationVerdict {
    var template = Array("/tmp/reelwright-moderation-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw failure("no temporary folder") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var names: [String] = []
    defer {
      for name in names { unlink(name) }
      rmdir(folder)
    }
    func write(_ bytes: [UInt8], _ name: String) throws {
      names.append("\(folder)/\(name)")
      let file = try PrivateFile("\(folder)/\(name)")
      try file.write(bytes)
      _ = try file.finish()
    }
    for (index, frame) in frames.enumerated() {
      let number = String(index + 1)
      try write(frame.jpeg, String(repeating: "0", count: max(0, 4 - number.count)) + number + ".jpg")
    }
    try write(Array(try JSONEncoder().encode(frames.map(\.seconds))), "frames.json")
    return try parse(try run(folder))
  }

  private func parse(_ output: [UInt8]) throws -> ModerationVerdict {
    struct Answer: Decodable {
      var verdict: String
      var category: String?
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)),
      let decision = ModerationVerdict.Decision(rawValue: answer.verdict)
    else { throw failure("its answer is not a verdict") }
    return ModerationVerdict(decision, category: answer.category ?? "none")
  }

  private func run(_ folder: String) throws -> [UInt8] {
    var pipe: [Int32] = [0, 0]
    guard Glibc.pipe(&pipe) == 0 else { throw failure("no pipe") }
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(pipe[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments + [folder]).map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), nil]
    defer { for pointer in words + environment { free(pointer) } }
    var process: pid_t = 0
    let started = posix_spawn(&process, path, &actions, nil, &words, &environment)
    close(pipe[1])
    guard started == 0 else { throw failure("it cannot be started") }
    let output = readAll(pipe[0])
    if output == nil { kill(process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard let output else { throw failure("it did not answer within \(timeoutSeconds) s, or too much") }
    guard status == 0 else { throw failure("it ended with an error") }
    return output
  }

  /// What the program writes until it closes its output; nil when it takes too long or writes more than 64 KiB.
  private func readAll(_ descriptor: Int32) -> [UInt8]? {
    let end = SystemClock().microseconds() + Int64(timeoutSeconds * 1_000_000)
    var bytes: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= 65_536 {
      let rest = (end - SystemClock().microseconds()) / 1000
      guard rest > 0 else { return nil }
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&poller, 1, Int32(min(rest, 1000))) > 0 else { continue }
      let count = read(descriptor, &portion, portion.count)
      if count == 0 { return bytes }
      if count > 0 { bytes += portion[0..<count] }
    }
    return nil
  }

  private func failure(_ reason: String) -> MetadataLogError {
    MetadataLogError(.refused, "cannot ask the moderation program", reason: reason)
  }
}
