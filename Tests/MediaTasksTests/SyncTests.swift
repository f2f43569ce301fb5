import FileAccess
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Pictures and sound stay together, from the start of an output to its end.
@Suite struct SyncTests {
  @Test(
    "flash and click are at most one audio frame apart, first and last", arguments: SyncClip.all,
    MediaPack.isSlowRun ? [false, true] : [false])
  func staysTogether(_ clip: SyncClip, isTrimmed: Bool) throws {
    let scratch = try ScratchFolder()
    let source = try clip.make(in: scratch.path)
    let given = try SyncClip.measure(source, in: scratch.path)
    try #require(given.flashes.count >= 7 && given.clicks.count >= 7, "the clip itself: \(given)")

    for click in given.clicks { #expect(given.flashes.contains { abs($0 - click) < 0.012 }, "the clip itself: \(given)") }

    let out = scratch.path + "/out.mp4"
    let files = LocalFiles(inputs: ["input": source], outputs: ["output": out])
    var task = EncodeTask()
    task.outputExtension = "mp4"
    task.speed = "ultrafast"
    if isTrimmed {
      task.trimStart = .time(MediaTime(Rational(23, 10)))
      task.trimEnd = .time(MediaTime(Rational(73, 10)))
    }
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)

    let made = try SyncClip.measure(out, in: scratch.path)
    let kept = isTrimmed ? (given.flashes.filter { $0 >= 2.3 && $0 < 7.3 }).map { $0 - 2.3 } : given.flashes
    #expect(made.flashes.count == kept.count, "\(made.flashes) instead of \(kept)")
    for (a, b) in zip(made.flashes, kept) { #expect(abs(a - b) < 0.041, "a flash at \(a) instead of \(b)") }
    // Sound may begin later than the pictures: clicks are compared with the flash that they belong to.
    let frame = 1024.0 / 48_000
    for click in [made.clicks.first, made.clicks.last] {
      let click = try #require(click)
      let nearest = try #require(made.flashes.min { abs($0 - click) < abs($1 - click) })
      #expect(abs(nearest - click) <= frame, "a click at \(click), its flash at \(nearest)")
    }
    let clicks = isTrimmed ? given.clicks.filter { $0 >= 2.3 && $0 < 7.3 } : given.clicks
    #expect(made.clicks.count == clicks.count, "\(made.clicks) instead of \(clicks)")
  }
}
