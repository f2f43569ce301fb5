import CommandLayer
import Glibc
import Reelwright

/// A report with the project and the labels of the work beside its own members.
private struct Recorded<Report: Encodable>: Encodable {
  let report: Report
  let record: WorkRecord?

  func encode(to encoder: any Swift.Encoder) throws {
    try report.encode(to: encoder)
    try record?.encode(to: encoder)
  }
}

/// Runs tasks as the common options say: limits, threads, isolation, cancellation, progress.
struct TaskRunner {
  let invocation: Invocation
  let limits: Limits
  let threads: Int
  let display: ProgressDisplay
  private let executor: TaskExecutor

  init(_ invocation: Invocation) throws {
    self.invocation = invocation
    limits = try CommonOptions.limits(invocation)
    threads = invocation.integer("threads") ?? max(1, min(64, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    display = ProgressDisplay(invocation)
    executor = TaskExecutor(isolation: invocation.value("isolation") == "none" ? .inProcess : .process)
    if invocation.isJSON, invocation.value("report") == "-" {
      throw MediaError(
        .usage, invocation.commandLine, reason: "--json and --report - both want standard output", advice: "write the report to a file")
    }
    // What would fail at the end fails before any work.
    _ = try metadata()
    _ = try labels()
    try checkReport()
  }

  /// Refuses a report that would stand in the place of an input or an output of this run, or of a file that may not be replaced.
  private func checkReport() throws(MediaError) {
    guard let path = invocation.value("report"), path != "-" else { return }
    for other in invocation.files(leavingOut: "report") where InputPaths.areSame(other, path) {
      throw MediaError(
        .usage, "bad option --report", path: path, reason: "\(path) is a file that this run reads or writes", advice: "name another file")
    }
    try checkReplaced(path)
    try LocalFiles(inputs: [:], outputs: ["report": path], mayReplace: invocation.flag("overwrite")).checkOutput("report")
  }

  /// The labels under which this work is recorded.
  func labels() throws -> [String: String] {
    Dictionary(try invocation.pairs("label").map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  /// The project and the labels, for sidecars and reports.
  func record() throws -> WorkRecord? {
    let record = WorkRecord(project: invocation.value("project"), labels: try labels())
    return record.isEmpty ? nil : record
  }

  /// The user's metadata for sidecars.
  func metadata() throws -> [String: String] {
    Dictionary(try invocation.pairs("metadata").map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  /// Runs one task to its end.
  ///
  /// - Parameters:
  ///   - part: Which part of a batch this task is, for one progress over all of it. Default: all.
  func run<Task: MediaTask>(_ task: Task, files: any Files, part: BatchPart = BatchPart()) throws -> Task.Result {
    try execute(task, files: files, part: part).result
  }

  /// The same for a task that reports on itself: the report also says what held the worker back.
  func run<Task: MediaTask>(_ task: Task, files: any Files, part: BatchPart = BatchPart()) throws -> TaskReport
  where Task.Result == TaskReport {
    let outcome = try execute(task, files: files, part: part)
    var report = outcome.result
    report.isolation = outcome.isolation?.summary
    return report
  }

  private func execute<Task: MediaTask>(
    _ task: Task, files: any Files, part: BatchPart
  ) throws -> (result: Task.Result, isolation: IsolationReport?) {
    defer { display.clear() }
    let show: @Sendable (Progress) -> Void = { [display] in display.report(part.overall($0)) }
    let context = TaskContext(files: files, limits: limits, cancellation: invocation.cancellation, threads: threads, progress: show)
    return try executor.run(task, in: context)
  }

  /// Writes `--report`.
  func writeReport(_ report: some Encodable) throws {
    guard let path = invocation.value("report") else { return }
    let bytes = try Console.json(Recorded(report: report, record: try record())) + [0x0A]
    if path == "-" {
      try invocation.console.write(bytes)
      return
    }
    try checkReplaced(path)
    let files = LocalFiles(inputs: [:], outputs: ["report": path], mayReplace: invocation.flag("overwrite"))
    try TaskRunner.write(bytes, as: "report", to: files)
  }

  /// Whatever a run reads or makes without the command line naming it (a document's media, the files of a folder, outputs in one): a
  /// report takes the place of nothing but a report, or another JSON object.
  private func checkReplaced(_ path: String) throws(MediaError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var first: UInt8 = 0
    guard read(descriptor, &first, 1) == 1, first != UInt8(ascii: "{") else { return }
    throw MediaError(
      .exists, "cannot write the report \(path)", path: path, reason: "what stands there is no report", advice: "name another file")
  }

  /// Writes and publishes an output of `reel`'s own: a report, a manifest.
  static func write(_ bytes: [UInt8], as name: String, to files: LocalFiles) throws {
    let output = try files.createOutput(name)
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(output.descriptor.rawValue, $0.baseAddress, $0.count) }
      if written < 0, errno != EINTR {
        throw MediaError(
          .io, "cannot write \(output.displayName)", path: output.displayName, reason: String(cString: strerror(errno)))
      }
      rest = rest.dropFirst(max(0, written))
    }
    try files.publish(name, sidecar: nil)
  }
}
