internal import CSystem
internal import FoundationEssentials
internal import Glibc
internal import MediaCore

/// A moderation hook that is a program: it is started with a folder as its last argument, in which the frames are
/// `0001.jpg`, `0002.jpg` … and `frames.json` (their times in seconds), and answers on standard output with
/// `{"verdict":"allow"|"refuse"|"review","category":"…"}` and exit status 0.
///
/// The folder has mode 0700 and is removed afterwards; the program's environment is `PATH` only, its error output is
/// discarded, and it is killed, with all that it started in its process group, after `timeoutSeconds`, when the request is cancelled, at its
/// end, and when this process ends, also by SIGKILL. A program that makes a group of its own is killed with that group; only what it has started
/// in yet other groups or sessions goes on.
///
/// Where processes, memory, descriptors or disk space are wanting, so that it cannot look, it throws `retryLater`: that is no verdict.
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

  public func verdict(on request: ModerationRequest) throws -> ModerationVerdict {
    let place = request.folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/reelwright-moderation-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw failure("no temporary folder", errno) }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var names: [String] = []
    defer {
      for name in names { unlink(name) }
      // The program may have left files of its own there.
      if rmdir(folder) != 0 { try? FileManager.default.removeItem(atPath: folder) }
    }
    func write(_ bytes: [UInt8], _ name: String) throws {
      names.append("\(folder)/\(name)")
      do throws(MetadataLogError) {
        let file = try PrivateFile("\(folder)/\(name)")
        try file.write(bytes)
        try file.flush()
      } catch { throw unseen("the frames cannot be written: \(error.reason)") }
    }
    for (index, frame) in request.frames.enumerated() {
      let number = String(index + 1)
      try write(frame.jpeg, String(repeating: "0", count: max(0, 4 - number.count)) + number + ".jpg")
    }
    try write(Array(try JSONEncoder().encode(request.frames.map(\.seconds))), "frames.json")
    return try parse(try run(folder, request.cancellation))
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

  private func run(_ folder: String, _ cancellation: Cancellation) throws -> [UInt8] {
    var pipe: [Int32] = [0, 0]
    // Close-on-exec from the first: another thread may be starting a program right now.
    let piped = rw_pipe(&pipe)
    guard piped == 0 else { throw failure("no pipe", -piped) }
    defer { close(pipe[0]) }
    var guardian: pid_t = 0
    var lifeline: Int32 = -1
    let guarded = rw_start_guardian(&guardian, &lifeline)
    guard guarded == 0 else {
      close(pipe[1])
      throw failure("no process to watch over it", -guarded)
    }
    defer { close(lifeline) }
    var process: pid_t = 0
    let problem = start(&process, folder, output: pipe[1], group: guardian)
    close(pipe[1])
    guard problem == 0 else {
      ModerationProgram.end([guardian])
      throw failure("it cannot be started", problem)
    }
    guard rw_guard(lifeline, process) == 0 else {
      ModerationProgram.end([guardian, process])
      throw unseen("the process that watches over it was killed")
    }
    let end = ModerationProgram.monotonicMilliseconds() + Int64(timeoutSeconds * 1000)
    let output = readAll(pipe[0], until: end, cancellation)
    let hasEnded = output != nil && awaitEnd(of: process, until: end, cancellation)
    let status = ModerationProgram.end([guardian, process])
    if cancellation.isCancelled { throw MetadataLogError(.cancelled, "cannot ask the moderation program", reason: "cancelled") }
    guard let output, hasEnded else { throw failure("it did not answer within \(timeoutSeconds) s, or too much") }
    guard status == 0 else { throw failure("it ended with an error") }
    return output
  }

  /// Kills children of this process, each with the process group that it leads, if it leads one, and reaps them.
  ///
  /// - Returns: the status of the last of them.
  @discardableResult
  private static func end(_ processes: [pid_t]) -> Int32 {
    // Not reaped yet, so that the numbers are still theirs and their groups': with these goes what the program has started. The
    // program itself may have left the guardian's group.
    for process in processes {
      kill(process, SIGKILL)
      kill(-process, SIGKILL)
    }
    var status: Int32 = 0
    for process in processes { while waitpid(process, &status, 0) < 0, errno == EINTR {} }
    return status
  }

  /// Starts the program in a process group, with no signal blocked or ignored. Returns an error number, 0 for none.
  private func start(_ process: inout pid_t, _ folder: String, output: Int32, group: pid_t) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, group)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments + [folder]).map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), nil]
    defer { for pointer in words + environment { free(pointer) } }
    return posix_spawn(&process, path, &actions, &attributes, &words, &environment)
  }

  /// What the program writes until it closes its output; nil when it takes too long or writes more than 64 KiB.
  private func readAll(_ descriptor: Int32, until end: Int64, _ cancellation: Cancellation) -> [UInt8]? {
    var bytes: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= 65_536, !cancellation.isCancelled {
      let rest = end - ModerationProgram.monotonicMilliseconds()
      guard rest > 0 else { return nil }
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&poller, 1, Int32(min(rest, 100))) > 0 else { continue }
      let count = read(descriptor, &portion, portion.count)
      if count == 0 { return bytes }
      if count > 0 { bytes += portion[0..<count] }
    }
    return nil
  }

  /// Waits until the program has ended, and leaves it to be reaped; false when it takes too long.
  private func awaitEnd(of process: pid_t, until end: Int64, _ cancellation: Cancellation) -> Bool {
    var pause: UInt32 = 200
    while !cancellation.isCancelled {
      var state = siginfo_t()
      let result = waitid(P_PID, id_t(process), &state, WEXITED | WNOHANG | WNOWAIT)
      if result == 0, state.si_signo != 0 { return true }
      if result != 0, errno != EINTR { return false }
      guard ModerationProgram.monotonicMilliseconds() < end else { return false }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
    return false
  }

  private static func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private func failure(_ reason: String) -> MetadataLogError {
    MetadataLogError(.refused, "cannot ask the moderation program", reason: reason)
  }

  private func failure(_ reason: String, _ code: Int32) -> MetadataLogError {
    let text = "\(reason): \(String(cString: strerror(code)))"
    return [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT].contains(code) ? unseen(text) : failure(text)
  }

  /// The machine could not ask now; that says nothing about the pictures.
  private func unseen(_ reason: String) -> MetadataLogError {
    MetadataLogError(.retryLater, "cannot ask the moderation program", reason: reason, advice: "the output was not looked at; try again")
  }
}
