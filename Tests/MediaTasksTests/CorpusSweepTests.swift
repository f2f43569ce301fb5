import FileAccess
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Every file of the media pack through `encode`: the clean ones must come out whole, the others with their damage
/// reported or with one clear error and no file left.
@Suite(.enabled(if: MediaPack.isPresent && MediaPack.isSlowRun, "needs ../shared/media and REELWRIGHT_SLOW=1")) struct CorpusSweepTests {
  @Test(arguments: MediaPack.manifest)
  func comesOutWholeOrFailsClearly(_ entry: MediaPack.Entry) throws {
    let path = try #require(MediaPack.path(entry.name))
    let scratch = try ScratchFolder()
    let out = scratch.path + "/out.mkv"
    let files = LocalFiles(inputs: ["input": path], outputs: ["output": out])
    var task = EncodeTask()
    task.outputExtension = "mkv"
    task.speed = "ultrafast"
    task.bounds = entry.isLarge ? FrameSize(640, 640) : nil
    let report: TaskReport
    do throws(MediaError) {
      report = try task.run(in: TaskContext(files: files))
      try files.publish("output", of: task, report: report)
    } catch {
      files.discardAll()
      #expect(!entry.isClean, "\(entry.name) is clean but failed: \(error)")
      #expect([65, 69, 77].contains(error.code.exitStatus), "\(entry.name): \(error)")
      #expect(scratch.names == [])
      return
    }
    let output = try #require(report.outputs.first)
    if entry.isClean {
      #expect(report.inputs[0].incomplete == [], "\(entry.name)")
      // The decoder conceals lost slices of this one and says so in its frames' flags, not in its log.
      #expect(
        report.isDamaged == (entry.name == "corrupt/openh264_Error_I_P.264"),
        "\(entry.name): \(report.inputs[0].damage) \(report.inputs[0].messages)")
      #expect(output.frames == Int64(try Oracle.videoFrameCount(path)), "\(entry.name)")
    } else if entry.name.hasSuffix(".webp") || entry.name.hasSuffix(".heic") {
      // FFmpeg 5.1 cannot read these, so that its complaints say nothing: libwebp and libheif do.
      #expect(!report.isDamaged && output.frames > 0)
    } else if try Oracle.decodeErrors(path) {
      #expect(report.isDamaged, "\(entry.name): FFmpeg complains, the report does not")
    }
    #expect(try Oracle.videoFrameCount(out) == Int(output.frames), "\(entry.name)")
  }
}
