import DatabaseTestSupport
import Glibc
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
      try fixture.log.moderate(frames, job: "j1", hook: hook)
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
    "a hook that fails refuses", arguments: ["exit 1", "echo nonsense", "kill -9 $$", "sleep 30", "yes", "echo '{\"verdict\":\"maybe\"}'"])
  func failures(script: String) throws {
    let (fixture, error) = try moderate(script, timeout: 0.5)
    #expect(error?.code == .refused)
    #expect(try verdict(fixture) == "refuse")
  }

  @Test("a program that is not there, and nothing left behind")
  func missing() throws {
    let fixture = try LogFixture()
    #expect(throws: MetadataLogError.self) {
      try fixture.log.moderate(frames, job: "j1", hook: ModerationProgram(path: "/nonexistent/hook"))
    }
    let (checked, error) = try moderate(#"echo "$1" > "$(dirname $0)/folder"; echo '{"verdict":"allow"}'"#)
    #expect(error == nil)
    let folder = String(decoding: LogFixture.read("\(checked.folder.path)/folder").dropLast(), as: UTF8.self)
    #expect(folder.hasPrefix("/") && access(folder, F_OK) != 0)
  }
}
