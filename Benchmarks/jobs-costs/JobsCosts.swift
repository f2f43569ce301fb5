import Glibc
import Jobs
import MediaCore
import Storage

/// Measures the job store by itself; `Benchmarks/jobs.py` runs it beside a loop in C with the same statements.
///
///     jobs-costs statements FOLDER                      writes the SQL, one file a statement
///     jobs-costs prepare DATABASE                       makes an empty store
///     jobs-costs loop DATABASE N power|crash            N jobs: enqueue (100 a transaction), claim (8), complete (1)
///     jobs-costs fill DATABASE N                        enqueues N jobs
///     jobs-costs claim DATABASE N                       N claims of one job each; microseconds and resident memory
///     jobs-costs runner DATABASE N FILE                 runs N jobs as they come; writes when each was started
///     jobs-costs enqueue DATABASE N FILE                enqueues one job every 20 ms; writes when each call began
///     jobs-costs hold STORE                             enqueues one job that runs until it is told to stop
///     jobs-costs holder STORE FOLDER FILE               runs such jobs; writes what it recovered, claimed and began, and when
///
/// STORE is a database or, for PostgreSQL, SCHEMA=URL.
enum JobsCosts {
  static func main() -> Int32 {
    let arguments = CommandLine.arguments
    do {
      switch arguments.count > 2 ? arguments[1] : "" {
      case "statements": try statements(arguments[2])
      case "prepare": _ = try store(arguments[2])
      case "loop" where arguments.count == 5: try loop(arguments[2], Int(arguments[3]) ?? 0, isPowerSafe: arguments[4] == "power")
      case "fill" where arguments.count == 4: try fill(arguments[2], Int(arguments[3]) ?? 0)
      case "claim" where arguments.count == 4: try claim(arguments[2], Int(arguments[3]) ?? 0)
      case "runner" where arguments.count == 5: try run(arguments[2], Int(arguments[3]) ?? 0, arguments[4])
      case "enqueue" where arguments.count == 5: try enqueue(arguments[2], Int(arguments[3]) ?? 0, arguments[4])
      case "hold" where arguments.count == 3: try hold(arguments[2])
      case "holder" where arguments.count == 5: try holder(arguments[2], arguments[3], arguments[4])
      default: return 64
      }
      return 0
    } catch {
      let text = Array("jobs-costs: \(error)\n".utf8)
      _ = Glibc.write(2, text, text.count)
      return 70
    }
  }

  private static func store(_ path: String, isPowerSafe: Bool = true) throws -> JobStore {
    var configuration = SQLiteConfiguration()
    configuration.isPowerSafe = isPowerSafe
    return try JobStore(database: SQLiteDatabase(path: path, configuration: configuration))
  }

  private static func statements(_ folder: String) throws {
    for (name, text) in [
      ("insert", JobStore.insertStatement), ("claim", JobStore.claimStatement(kinds: 1, dialect: .sqlite)),
      ("complete", JobStore.completeStatement), ("dependents", JobStore.dependentsStatement),
    ] {
      write(text, folder + "/" + name)
    }
  }

  private static func write(_ text: String, _ path: String) {
    guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
    fputs(text, file)
    fclose(file)
  }

  private static var spec: JobSpec { JobSpec(kind: "nothing", payload: Array("{}".utf8)) }

  static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func loop(_ path: String, _ count: Int, isPowerSafe: Bool) throws {
    let store = try store(path, isPowerSafe: isPowerSafe)
    let start = nanoseconds()
    for _ in 0..<(count / 100) { try store.submit([JobSpec](repeating: spec, count: 100)) }
    let queued = nanoseconds()
    var done = 0
    while done < count {
      for claimed in try store.claim(worker: 1, slotClass: "cpu", count: 8, kinds: ["nothing"]) {
        try store.complete(claimed.claim, result: [])
        done += 1
      }
    }
    print("{\"enqueue\":\(Double(queued - start) / 1e9),\"run\":\(Double(nanoseconds() - queued) / 1e9)}")
  }

  private static func fill(_ path: String, _ count: Int) throws {
    let store = try store(path)
    var left = count
    while left > 0 {
      let batch = min(left, 5000)
      try store.submit([JobSpec](repeating: spec, count: batch))
      left -= batch
    }
  }

  private static func claim(_ path: String, _ count: Int) throws {
    let store = try store(path)
    var times: [Double] = []
    for _ in 0..<count {
      let start = nanoseconds()
      let claimed = try store.claim(worker: 1, slotClass: "cpu", count: 1, kinds: ["nothing"])
      times.append(Double(nanoseconds() - start) / 1000)
      guard claimed.count == 1 else { fatalError("nothing to claim") }
    }
    times.sort()
    let plan = try store.database.read { transaction in
      let statement = "EXPLAIN QUERY PLAN " + JobStore.claimStatement(kinds: 1, dialect: .sqlite)
      return try transaction.query(statement, [1, 0, "cpu", 1, "nothing"]).compactMap { $0.text(3) }
    }
    let quoted = plan.map { "\"\($0)\"" }.joined(separator: ",")
    print(
      """
      {"p50":\(times[count / 2]),"p99":\(times[count * 99 / 100]),"residentKiB":\(resident()),"plan":[\(quoted)]}
      """)
  }

  /// The process's largest resident memory.
  private static func resident() -> Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }

  private static func run(_ path: String, _ count: Int, _ output: String) throws {
    let store = try store(path)
    guard let file = fopen(output, "w") else { fatalError("cannot write \(output)") }
    nonisolated(unsafe) let journal = file
    var handlers = JobHandlers()
    handlers.register("nothing") { context in
      let now = nanoseconds()
      fputs("\(context.job.id) \(now)\n", journal)
      return JobAnswer()
    }
    var configuration = RunnerConfiguration()
    configuration.slots = ["cpu": 1]
    let runner = try Runner(store: store, handlers: handlers, configuration: configuration)
    let watcher = Watcher(runner, store, count)
    try watcher.start()
    try runner.run(until: .stopped)
    fputs("resident \(resident())\n", journal)
    fclose(journal)
  }

  /// The store at a path, or of `SCHEMA=URL`.
  private static func anyStore(_ text: String) throws -> JobStore {
    guard !text.hasPrefix("/"), let equals = text.firstIndex(of: "=") else { return try store(text) }
    var configuration = PostgreSQLConfiguration(url: String(text[text.index(after: equals)...]))
    configuration.schema = String(text[..<equals])
    configuration.restartGraceSeconds = 0
    return try JobStore(database: PostgreSQLDatabase(configuration))
  }

  private static func hold(_ store: String) throws {
    var spec = JobSpec(kind: "hold")
    spec.crashLimit = 1_000_000
    print(try anyStore(store).submit(spec).id)
  }

  private static func holder(_ store: String, _ folder: String, _ output: String) throws {
    let journal = open(output, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
    @Sendable func note(_ text: String) {
      // One call a line: it is in the page cache, whatever happens to this process.
      let line = Array("\(text) \(nanoseconds())\n".utf8)
      _ = Glibc.write(journal, line, line.count)
    }
    var handlers = JobHandlers()
    handlers.register("hold") { context in
      note("began \(getpid())")
      while !context.cancellation.isCancelled { usleep(20_000) }
      throw JobsError(.stopped, "cannot hold", reason: "told to stop")
    }
    var configuration = RunnerConfiguration()
    configuration.slots = ["cpu": 1]
    configuration.folder = folder
    configuration.onEvent = { event in
      switch event {
      case .started(let worker): note("started \(getpid()) \(String(worker, radix: 16))")
      case .recovered(_, let jobs) where !jobs.isEmpty: note("recovered \(getpid())")
      case .claimed: note("claimed \(getpid())")
      case .storeFailed(let text): note("failed \(text.filter { $0 != "\n" })")
      default: break
      }
    }
    try Runner(store: anyStore(store), handlers: handlers, configuration: configuration).run(until: .stopped)
  }

  private static func enqueue(_ path: String, _ count: Int, _ output: String) throws {
    let store = try store(path)
    var lines = ""
    for _ in 0..<count {
      let start = nanoseconds()
      let id = try store.submit(spec).id
      lines += "\(id) \(start)\n"
      usleep(20_000)
    }
    write(lines, output)
  }
}

/// Stops a runner when so many jobs are done.
private final class Watcher: Sendable {
  private let runner: Runner
  private let store: JobStore
  private let count: Int

  init(_ runner: Runner, _ store: JobStore, _ count: Int) {
    self.runner = runner
    self.store = store
    self.count = count
  }

  func start() throws {
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Watcher>.fromOpaque(argument).takeRetainedValue().watch()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard status == 0 else { throw JobsError(.io, "cannot start a thread", reason: "\(status)") }
  }

  private func watch() {
    while true {
      usleep(200_000)
      if let counts = try? store.counts(), counts[.done] ?? 0 >= count { return runner.stop(finishRunning: true) }
    }
  }
}
