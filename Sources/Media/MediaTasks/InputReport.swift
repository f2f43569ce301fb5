import Encoding
import FFmpegBridge
import FileAccess
import MediaCore

/// Makes the parts of a `TaskReport`, and decides when an input is too incomplete to go on.
enum InputReport {
  static func make(_ input: InputFile, environment: MediaEnvironment, bytesRead: Int64, frames: Int64) -> TaskReport.Input {
    // A run that needed a part of the file only has not seen its end, where demuxers look for themselves.
    if FileSnapshot(of: input.descriptor.rawValue) != input.snapshot {
      environment.damage.noteIncomplete("the file changed while it was read")
    }
    return TaskReport.Input(
      file: input.displayName, bytes: input.snapshot.byteCount, bytesRead: bytesRead, framesDecoded: frames,
      damage: environment.damage.entries, incomplete: environment.damage.incompleteReasons, messages: environment.diagnostics.errorLines)
  }

  static func output(_ file: String, _ summary: MediaWriter.Summary) -> TaskReport.Output {
    TaskReport.Output(
      file: file, bytes: summary.bytes, frames: summary.frames, durationSeconds: summary.durationSeconds, width: summary.size?.width,
      height: summary.size?.height, videoCodec: summary.videoCodec, audioCodec: summary.audioCodec, audioSamples: summary.audioSamples)
  }

  /// What a report says of inputs that were damaged or cut short and used all the same.
  static func warnings(_ report: TaskReport) -> [String] {
    report.inputs.flatMap { input in
      input.incomplete.prefix(1).map { "incomplete: \(input.file): \($0); what there is was kept" }
        + input.damage.map { entry in
          "damaged: \(input.file): \(entry.kind)" + (entry.stream.map { " in stream \($0)" } ?? "")
            + (entry.count > 1 ? ", \(entry.count) times" : "")
        }
    }
  }

  /// Throws `incomplete` when an input is cut short, unless the caller said that this is all right.
  static func requireComplete(_ report: TaskReport, allowIncomplete: Bool) throws(MediaError) {
    guard !allowIncomplete, let input = report.inputs.first(where: { !$0.incomplete.isEmpty }) else { return }
    throw MediaError(
      .incomplete, "cannot use \(input.file)", path: input.file, reason: "input is incomplete: \(input.incomplete[0])",
      advice: "get the whole file, or keep what there is with --allow-incomplete",
      details: input.incomplete + input.messages + input.damage.map { "\($0.kind): \($0.count)" })
  }
}
