import FileAccess
import FrameExtraction
import Jobs
import MediaCore
import MediaTasks
public import MetadataLog
import Synchronization

/// Shows sampled frames of a job's outputs to a moderation hook before any of them is published.
///
/// A verdict other than "allow", a hook that fails, and an output whose pictures cannot be read fail the job with status 77
/// and without another attempt; nothing of it is published. Where a hook cannot look for want of processes, memory or space, the job is tried again
/// (75). Every verdict is an event of the log. Jobs without outputs are
/// not asked about; outputs without pictures (sound, text) are, with no frames. The hook may be asked more than once about one job: by 256 frames at a
/// time, and again when the worker dies between verdict and publication.
public struct OutputModeration: Sendable {
  /// Frames of each output, one from the middle of each of so many equal parts. Default 16.
  public var framesPerOutput = 16
  /// Frames are scaled down to fit into a square of so many pixels. Default 1024.
  public var side = 1024

  private let hook: any ModerationHook
  private let log: MetadataLog
  private static let framesAtOnce = 256

  /// - Parameter log: where the verdicts are kept.
  public init(_ hook: any ModerationHook, log: MetadataLog) {
    self.hook = hook
    self.log = log
  }

  /// - Parameter run: runs a media task, given its kind, payload and files.
  func review(_ context: JobContext, run: (String, [UInt8], any Files) throws -> [UInt8]) throws {
    let outputs = try context.files.writtenOutputs()
    guard !outputs.isEmpty else { return }
    var frames: [ModerationFrame] = []
    var isAsked = false
    func ask() throws {
      let request = ModerationRequest(frames: frames, folder: try context.scratchFolder(), cancellation: context.cancellation)
      try log.moderate(request, job: context.job.id.description, project: context.job.spec.project, hook: hook)
      frames.removeAll()
      isAsked = true
    }
    for output in outputs {
      frames += try samples(of: output.file, run)
      if frames.count >= OutputModeration.framesAtOnce { try ask() }
    }
    if !frames.isEmpty || !isAsked { try ask() }
  }

  private static func isText(_ output: InputFile) -> Bool {
    let count = output.snapshot.byteCount
    guard count <= 64 << 20 else { return false }
    let bytes = output.descriptor.bytes(at: 0, count: Int(count))
    return bytes.count == count && !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
  }

  private func samples(of output: InputFile, _ run: (String, [UInt8], any Files) throws -> [UInt8]) throws -> [ModerationFrame] {
    do {
      let probe = ProbeTask(inputs: ["in"])
      let bytes = try run(ProbeTask.kind, TaskCoding.encode(probe), SampledFiles(output))
      guard let found = try TaskCoding.decode(ProbeReport.self, from: bytes).files.first else { return [] }
      if let error = found.error {
        // Tracks, playlists and reports. Not asked before: the bytes of a picture can be text too.
        if OutputModeration.isText(output) { return [] }
        throw MediaError(.damaged, "cannot look at \(output.displayName)", reason: error.message)
      }
      guard let video = found.video.first else { return [] }
      var task = FramesTask()
      let isMoving = video.frameCount > 1 && found.durationSeconds != nil
      let count = Int(min(Int64(max(1, framesPerOutput)), video.frameCount))
      task.selection = isMoving ? .uniform(count: count) : .last
      task.bounds = FrameSize(side, side)
      task.allowIncomplete = true
      let files = SampledFiles(output)
      let report = try TaskCoding.decode(FramesReport.self, from: try run(FramesTask.kind, TaskCoding.encode(task), files))
      let frames = report.frames.compactMap { frame in
        frame.file.flatMap { files.bytes("frames/\($0)") }.map { ModerationFrame(seconds: frame.actual ?? 0, jpeg: $0) }
      }
      // Fewer than asked for means that a part of it was not seen.
      guard frames.count == report.frames.count, !frames.isEmpty else {
        throw MediaError(.damaged, "cannot look at \(output.displayName)", reason: "some of its pictures cannot be read")
      }
      return frames
    } catch let error as MediaError where error.code != .cancelled && error.code != .retryLater && error.code != .io {
      throw MetadataLogError(
        .refused, "publication is refused", reason: "the output cannot be looked at: \(error.reason)",
        advice: "run the worker without moderation if it need not be")
    }
  }
}

/// One output as the input `in`; images go to unnamed files.
private final class SampledFiles: Files {
  private let input: InputFile
  private let images = Mutex<[String: Descriptor]>([:])

  init(_ input: InputFile) { self.input = input }

  func openInput(_ name: String) throws(MediaError) -> InputFile { input }

  func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    let descriptor = try createScratch()
    images.withLock { $0[name] = descriptor }
    return OutputFile(descriptor: descriptor, displayName: name)
  }

  func createScratch() throws(MediaError) -> Descriptor { try LocalFiles(inputs: [:]).createScratch() }

  func bytes(_ name: String) -> [UInt8]? {
    guard let descriptor = images.withLock({ $0[name] }), let size = FileSnapshot(of: descriptor.rawValue)?.byteCount else { return nil }
    let bytes = descriptor.bytes(at: 0, count: Int(size))
    return bytes.isEmpty ? nil : bytes
  }
}
