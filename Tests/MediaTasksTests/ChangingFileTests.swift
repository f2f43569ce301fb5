import FileAccess
import Glibc
import MediaCore
import MediaTasks
import Synchronization
import TestSupport
import Testing

/// Inputs that change while a task reads them.
@Suite struct ChangingFileTests {
  /// What is done to the input once the task has looked at it.
  enum Change: String, CaseIterable, Sendable {
    case grows, shrinks
    case isRewritten = "is rewritten"

    func apply(to path: String) {
      let descriptor = open(path, O_RDWR)
      defer { close(descriptor) }
      let size = lseek(descriptor, 0, SEEK_END)
      switch self {
      case .grows: _ = write(descriptor, "more", 4)
      case .shrinks: ftruncate(descriptor, size * 6 / 10)
      case .isRewritten: _ = pwrite(descriptor, [UInt8](repeating: 0, count: 40_000), 40_000, size / 2)
      }
      // Clocks of file systems are coarse.
      var times = [timespec(tv_sec: 0, tv_nsec: 0x3FFF_FFFE), timespec(tv_sec: 2_000_000_000, tv_nsec: 0)]
      futimens(descriptor, &times)
    }
  }

  /// Files that change their input when the output is asked for.
  final class ChangingFiles: Files {
    private let files: LocalFiles
    private let change: Mutex<(@Sendable () -> Void)?>

    init(_ files: LocalFiles, change: @escaping @Sendable () -> Void) {
      self.files = files
      self.change = Mutex(change)
    }

    func openInput(_ name: String) throws(MediaError) -> InputFile { try files.openInput(name) }
    func createScratch() throws(MediaError) -> Descriptor { try files.createScratch() }
    func createOutput(_ name: String) throws(MediaError) -> OutputFile {
      change.withLock { change in
        change?()
        change = nil
      }
      return try files.createOutput(name)
    }
  }

  @Test(arguments: Change.allCases, ["mp4", "mkv"])
  func isNoticed(_ change: Change, _ container: String) throws {
    let scratch = try ScratchFolder()
    for allowed in [false, true] {
      let path = scratch.path + "/clip.\(container)"
      for range in [nil, MediaTime(Rational(1))] {
        let made = try Tool.run(
          "ffmpeg",
          [
            "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=4", "-c:v", "libx264", "-preset",
            "ultrafast", "-g", "12", "-threads", "1", "-movflags", "+faststart", path,
          ])
        try #require(made.status == 0, "\(made.errors)")
        let before = scratch.names
        let out = scratch.path + "/out.mp4"
        let files = LocalFiles(inputs: ["input": path], outputs: ["output": out])
        var task = EncodeTask()
        task.outputExtension = "mp4"
        task.speed = "ultrafast"
        task.trimEnd = range.map { .time($0) }
        task.allowIncomplete = allowed
        let context = TaskContext(files: ChangingFiles(files) { change.apply(to: path) })
        do throws(MediaError) {
          let report = try task.run(in: context)
          #expect(allowed, "a success although the file \(change.rawValue)")
          #expect(!report.inputs[0].incomplete.isEmpty)
          #expect(report.warnings.contains { $0.hasPrefix("incomplete: ") }, "\(report.warnings)")
        } catch {
          #expect(!allowed && error.code == .incomplete, "\(error)")
        }
        files.discardAll()
        #expect(scratch.names == before)
      }
    }
  }
}
