import FFmpegBridge
import FileAccess
import Glibc
public import MediaCore
import Pipeline
public import Watermark

/// Looks for marks in files and says whose they are, where, how sure that is, and what was done to the picture.
public struct DetectTask: MediaTask {
  public static let kind = "detect"

  /// Logical names of the files to search.
  public var inputs: [String]
  /// Logical names of key files. Default one, `"watermark key"`.
  public var keys = [MarkRequest.defaultKeyName]
  /// Only these ids count; lowers the threshold. Nil: any id.
  public var registry: [WatermarkID]?
  /// Only this id counts; lowers the threshold further.
  public var expect: WatermarkID?
  /// The copies of one video: finds which of them an input is, besides the mark itself.
  public var copies: CopyManifest?
  /// Only look for whole pictures, scaled, mirrored or turned: in the key frames first, which is often enough. Default off.
  public var isDirectOnly = false
  /// Search what can be decoded of a damaged or incomplete input. Default off.
  public var allowIncomplete = false

  public init(inputs: [String]) { self.inputs = inputs }

  var decision: MarkDecision {
    if let expect { return .expect(expect) }
    if let copies { return .expect(copies.videoId) }
    if let registry { return .registry(registry) }
    return .open
  }

  /// - Returns: one entry a file; a file that cannot be searched has `error` set and does not stop the others.
  public func run(in context: TaskContext) throws(MediaError) -> DetectReport {
    if let count = registry?.count, count > MarkDecision.mostRegistered {
      throw MediaError(
        .usage, "cannot search for marks", reason: "the registry has \(count) ids, the decision holds for \(MarkDecision.mostRegistered)",
        advice: "search without a registry, or for one expected id")
    }
    var opened: [WatermarkKey] = []
    for name in keys { opened.append(try WatermarkKey(context.files.openInput(name))) }
    var report = DetectReport()
    let meter = ProgressMeter(stage: "detect", total: nil, handler: context.progress)
    meter.begin()
    for (place, name) in inputs.enumerated() {
      try context.cancellation.check("searching for marks")
      do throws(MediaError) {
        report.files.append(
          try search(name, opened, context) { part in meter.advance(fraction: (Double(place) + part) / Double(inputs.count)) })
      } catch {
        if error.code == .cancelled { throw error }
        report.files.append(
          DetectReport.File(
            file: error.path ?? name,
            error: ProbeReport.Failure(code: error.code.name, message: error.description, exitStatus: error.code.exitStatus)))
      }
    }
    meter.finish()
    return report
  }

  /// - Parameter onFrame: called after each picture with the part of the file that has been read.
  private func search(
    _ name: String, _ keys: [WatermarkKey], _ context: TaskContext, onFrame: (Double) -> Void
  ) throws(MediaError) -> DetectReport.File {
    let input = try context.files.openInput(name)
    let start = DetectTask.cpuSeconds()
    if let found = try searchKeyframes(input, keys, context) {
      return file(input, found, cpuSeconds: DetectTask.cpuSeconds() - start)
    }
    let environment = context.environment()
    let source = try VideoDecodeSource(input, environment: environment)
    let finder = MarkFinder(keys: keys, decision: decision, effort: isDirectOnly ? .direct : .full)
    finder.copies = copies
    let duration = source.stream.duration?.doubleValue ?? 0
    let findings: MarkFinder.Findings
    do throws(MediaError) {
      findings = try finder.find(in: source) { frame in
        onFrame(duration > 0 ? min(1, frame.time.doubleValue / duration) : 0)
      }
    } catch {
      throw MediaError(
        error.code, "cannot search \(input.displayName)", path: input.displayName, reason: error.reason, advice: error.advice,
        details: error.details)
    }
    if !allowIncomplete, let reason = environment.damage.incompleteReasons.first {
      throw MediaError(
        .incomplete, "cannot search \(input.displayName)", path: input.displayName, reason: "input is incomplete: \(reason)",
        advice: "--allow-incomplete searches what there is")
    }
    return file(input, findings, cpuSeconds: DetectTask.cpuSeconds() - start)
  }

  /// Inputs from this length on are first looked at by their key frames, whatever the effort.
  private static let longSeconds = 120.0

  /// What the key frames alone show; nil where they are not to be asked, or show no mark.
  private func searchKeyframes(_ input: InputFile, _ keys: [WatermarkKey], _ context: TaskContext) throws(MediaError)
    -> MarkFinder.Findings?
  {
    guard copies == nil else { return nil }
    let environment = context.environment()
    let source = try KeyframeSource(input, environment: environment)
    guard isDirectOnly || source.durationSeconds ?? 0 >= Self.longSeconds else { return nil }
    let finder = MarkFinder(keys: keys, decision: decision, effort: .direct)
    finder.isSparse = true
    // What is wrong with the input is told by the search that follows.
    guard let findings = try? finder.find(in: source), !findings.marks.isEmpty else {
      try context.cancellation.check("searching for marks")
      return nil
    }
    return allowIncomplete || environment.damage.incompleteReasons.isEmpty ? findings : nil
  }

  private func file(_ input: InputFile, _ findings: MarkFinder.Findings, cpuSeconds: Double) -> DetectReport.File {
    var file = DetectReport.File(file: input.displayName)
    file.marks = findings.marks.map { mark in
      DetectReport.Mark(
        id: mark.id.description, keyId: mark.keyID.description, z: mark.z, log10FalsePositive: mark.log10FalsePositive,
        decision: decision.name,
        copies: findings.copies.map {
          .init(id: $0.id.description, range: [$0.range.lowerBound, $0.range.upperBound], logOdds: $0.logOdds)
        }, ranges: mark.ranges.map { [$0.lowerBound, $0.upperBound] },
        transform: mark.transform)
    }
    file.framesUsed = findings.pictures
    file.secondsSearched = findings.seconds
    file.attempts = findings.attempts
    file.bestZ = findings.bestZ
    file.cpuSeconds = cpuSeconds
    if file.marks.isEmpty, findings.pictures > 1, findings.seconds < MarkRequest.advisedSeconds {
      file.advice = "this is short: \(MarkRequest.advisedSeconds) s or more of the video are needed where it was compressed much"
    }
    return file
  }

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
