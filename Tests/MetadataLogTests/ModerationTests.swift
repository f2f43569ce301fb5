import DatabaseTestSupport
import Glibc
import MediaCore
import MetadataLog
import Testing

struct ModerationTests {
  private let frames = [ModerationFrame(seconds: 0.5, jpeg: [1, 2, 3]), ModerationFrame(seconds: 1.5, jpeg: [4, 5])]

  private func program(_ script: String, _ folder: TemporaryFolder) -> String {
    let path = "\(folder.path)/hook"
    LogFixture.write(Array("#!/bin/sh\n\(script)\n".utf8), to: path)
    chmod(path, 0o700)
    return path
  }

  private func moderate(_ script: String, timeout: Double = 10) throws -> (LogFixture, MetadataLogError?) {
    let fixture = try LogFixture()
    let hook = ModerationProgram(path: program(script, fixture.folder), timeoutSeconds: timeout)
    do {
      try fixture.log.moderate(ModerationRequest(frames: frames, folder: fixture.folder.path), job: "j1", hook: hook)
      return (fixture, nil)
    } catch let error as MetadataLogError { return (fixture, error) }
  }

  private func verdict(_ fixture: LogFixture) throws -> EventValue? {
    try fixture.log.entries().first { $0.event.kind == .moderationVerdict }?.event.fields[.verdict]
  }

  @Test("the program sees the frames and their times; an allowed output goes on, any other is refused with status 77")
  func verdicts() throws {
    let allow =
      #"test "$(wc -c < $1/0001.jpg)" = 3 && test "$(cat $1/frames.json)" = "[0.5,1.5]" && test -z "$HOME" && echo '{"verdict":"allow"}'"#
    let (allowed, none) = try moderate(allow)
    #expect(none == nil)
    #expect(try verdict(allowed) == "allow")
    let (refused, error) = try moderate(#"echo '{"verdict":"refuse","category":"violence"}'"#)
    #expect(error?.exitStatus == 77)
    #expect(try verdict(refused) == "refuse")
    #expect(try refused.log.entries().first { $0.event.kind == .moderationVerdict }?.event.fields[.category] == "violence")
    let (review, why) = try moderate(#"echo '{"verdict":"review","category":"something new"}'"#)
    #expect(why?.advice == "have a person review it")
    #expect(try review.log.entries().first { $0.event.kind == .moderationVerdict }?.event.fields[.category] == "other")
  }

  @Test(
    "a hook that fails refuses",
    arguments: [
      "exit 1", "echo nonsense", "kill -9 $$", "sleep 30", "yes", "exec >&-; sleep 30", "echo '{\"verdict\":\"allow\"}'; exit 3",
      "echo '{\"verdict\":\"maybe\"}'",
    ])
  func failures(script: String) throws {
    let (fixture, error) = try moderate(script, timeout: 0.5)
    #expect(error?.code == .refused)
    #expect(try verdict(fixture) == "refuse")
  }

  @Test("a program that is not there, and nothing left behind")
  func missing() throws {
    let fixture = try LogFixture()
    #expect(throws: MetadataLogError.self) {
      try fixture.log.moderate(ModerationRequest(frames: frames), job: "j1", hook: ModerationProgram(path: "/nonexistent/hook"))
    }
    let (checked, error) = try moderate(#"echo "$1" > "$(dirname $0)/folder"; echo '{"verdict":"allow"}'"#)
    #expect(error == nil)
    let folder = String(decoding: LogFixture.read("\(checked.folder.path)/folder").dropLast(), as: UTF8.self)
    #expect(folder.hasPrefix(checked.folder.path + "/") && access(folder, F_OK) != 0)
  }

  @Test("what the program has started goes with it, whether it answers or not", arguments: ["echo '{\"verdict\":\"allow\"}'", "sleep 40"])
  func descendants(then: String) throws {
    let (fixture, _) = try moderate(#"sleep 50 > /dev/null & echo $! > "$(dirname $0)/child"; touch "$1/own"; "# + then, timeout: 1)
    let child = try #require(Int32(String(decoding: LogFixture.read("\(fixture.folder.path)/child").dropLast(), as: UTF8.self)))
    // Killed, and reaped by whoever adopts orphans here; a zombie is gone too.
    func isRunning() -> Bool {
      let state = String(decoding: LogFixture.read("/proc/\(child)/stat"), as: UTF8.self).split(separator: ")").last
      return state.map { !$0.hasPrefix(" Z") && !$0.hasPrefix(" X") } ?? false
    }
    for _ in 0..<200 where isRunning() { usleep(10_000) }
    #expect(!isRunning())
    #expect(!fixture.names().contains { $0.hasPrefix("reelwright-moderation") }, "files of the program's own go too")
  }

  @Test("a hook in a session of its own is killed too, with what it has started there", .timeLimit(.minutes(1)))
  func ownSession() throws {
    let (fixture, error) = try moderate(
      #"cd "$(dirname $0)"; exec setsid sh -c 'sleep 90 & echo $! > child; echo $$ > hook; sleep 90'"#, timeout: 1)
    #expect(error?.code == .refused)
    for name in ["child", "hook"] {
      let pid = try #require(Int32(String(decoding: LogFixture.read("\(fixture.folder.path)/\(name)").dropLast(), as: UTF8.self)))
      func isRunning() -> Bool {
        let state = String(decoding: LogFixture.read("/proc/\(pid)/stat"), as: UTF8.self).split(separator: ")").last
        return state.map { !$0.hasPrefix(" Z") && !$0.hasPrefix(" X") } ?? false
      }
      for _ in 0..<200 where isRunning() { usleep(10_000) }
      #expect(!isRunning(), "\(name)")
    }
  }

  @Test("a hook that cannot look now has no verdict: the same may be asked again")
  func unseen() throws {
    struct Busy: ModerationHook {
      func verdict(on request: ModerationRequest) throws -> ModerationVerdict {
        throw MetadataLogError(.retryLater, "cannot ask", reason: "no process")
      }
    }
    let fixture = try LogFixture()
    let error = #expect(throws: MetadataLogError.self) {
      try fixture.log.moderate(ModerationRequest(frames: frames), job: "j1", hook: Busy())
    }
    #expect(error?.isRetriable == true && error?.exitStatus == 75)
    #expect(try fixture.log.entries().isEmpty)
  }

  @Test("a question that is taken back has no verdict")
  func cancelled() throws {
    let fixture = try LogFixture()
    let request = ModerationRequest(frames: frames)
    let hook = ModerationProgram(path: program("touch $(dirname $0)/asked; sleep 30", fixture.folder))
    let asked = fixture.folder.path + "/asked"
    let other = try NativeThread {
      while access(asked, F_OK) != 0 { usleep(10_000) }
      request.cancellation.cancel()
    }
    let error = #expect(throws: MetadataLogError.self) { try fixture.log.moderate(request, job: "j1", hook: hook) }
    other.join()
    #expect(error?.code == .cancelled)
    #expect(try fixture.log.entries().isEmpty)
  }
}
