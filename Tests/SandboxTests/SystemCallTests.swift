import Glibc
import MediaCore
import TestBasics
import Testing

@testable import Sandbox

/// What the kernel sees of a worker, by strace.
@Suite(.enabled(if: access("/usr/bin/strace", X_OK) == 0, "needs strace")) struct SystemCallTests {
  /// Calls that would reach a path, a new socket or another program.
  private static let forbidden = [
    "open", "openat", "openat2", "creat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    "socket", "socketpair", "connect", "bind", "accept4", "execve", "execveat", "unlink", "unlinkat", "rename", "renameat2", "mkdir",
    "memfd_create", "ptrace", "kill", "mount",
  ]

  /// The lines of the trace after the filter was loaded.
  private func sealedCalls(of program: String, kind: String, payload: String, files: MemoryFiles) throws -> [Substring] {
    let log = "/tmp/reelwright-strace-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(log) }
    let pool = attackPool { configuration in
      configuration.executable = program
      configuration.launcher = ["/usr/bin/strace", "-f", "-o", log]
    }
    _ = try pool.text(kind, payload, files: files)
    let lines = shell("cat \(log)").split(separator: "\n")
    let sealed = try #require(lines.lastIndex { $0.contains("SECCOMP_SET_MODE_FILTER, 0, {len=") && $0.hasSuffix("= 0") })
    return Array(lines[(sealed + 1)...])
  }

  /// A call that the filter traps is not made: what follows it in its thread is the signal.
  private func isTrapped(_ index: Int, of calls: [Substring]) -> Bool {
    let thread = calls[index].prefix(while: \.isNumber)
    return calls[(index + 1)...].first { $0.prefix(while: \.isNumber) == thread }?.contains("--- SIGSYS") == true
  }

  private func succeeded(_ calls: [Substring]) -> [Substring] {
    calls.indices.filter { !isTrapped($0, of: calls) }.map { calls[$0] }.filter { line in
      guard let call = line.drop(while: \.isNumber).drop(while: { $0 == " " }).split(separator: "(").first else { return false }
      let name = call.split(separator: " ").first { $0 != "<..." } ?? ""
      guard Self.forbidden.contains(String(name)), !line.contains("<unfinished") else { return false }
      return !line.contains(" = -1 ")
    }
  }

  @Test func afterSealingNoPathIsOpenedAndNoSocketMade() throws {
    let files = MemoryFiles(["in": [UInt8](repeating: 5, count: 100_000)])
    let calls = try sealedCalls(of: attackProgram, kind: "copy", payload: "", files: files)
    #expect(calls.contains { $0.contains("pread64(") } && calls.contains { $0.contains("pwrite64(") })
    #expect(succeeded(calls).isEmpty)
  }

  /// The test itself notices an open: the attempt is in the trace, and was refused.
  @Test func aRefusedOpenShowsInTheTrace() throws {
    let calls = try sealedCalls(of: attackProgram, kind: "attack", payload: "open", files: MemoryFiles())
    let attempt = try #require(calls.firstIndex { $0.contains("openat(") && $0.contains("/etc/passwd") })
    #expect(isTrapped(attempt, of: calls))
    #expect(succeeded(calls + ["1 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 5"]).count == 1)
  }

  @Test(.enabled(if: access(mediaWorker, X_OK) == 0 && !smallClip.isEmpty, "needs reel-worker and ffmpeg"))
  func aMediaTaskOpensNothingEither() throws {
    let calls = try sealedCalls(
      of: mediaWorker, kind: "probe", payload: #"{"inputs":["in"]}"#, files: MemoryFiles(["in": smallClip]))
    #expect(calls.contains { $0.contains("pread64(") })
    #expect(succeeded(calls).isEmpty)
  }
}

let mediaWorker = builtProgram("reel-worker")

/// Half a second of H.264 and AAC, made by the ffmpeg tool; empty where there is none.
let smallClip: [UInt8] = {
  let hexadecimal = shell(
    "ffmpeg -v error -f lavfi -i testsrc2=s=128x96:d=0.5 -f lavfi -i sine=d=0.5 -f mp4 -movflags frag_keyframe+empty_moov - 2>/dev/null "
      + "| od -An -v -tx1 | tr -d ' \\n'")
  return stride(from: 0, to: hexadecimal.utf8.count - 1, by: 2).compactMap { offset in
    let start = hexadecimal.utf8.index(hexadecimal.startIndex, offsetBy: offset)
    return UInt8(hexadecimal[start..<hexadecimal.utf8.index(start, offsetBy: 2)], radix: 16)
  }
}()
