import CommandLayer
import Glibc
import Reelwright

/// `reel worker`: runs jobs.
enum WorkerCommand {
  static var command: Command {
    Command(
      "worker", summary: "run jobs from the queue",
      discussion: """
        Takes jobs as long as there are free slots, each media task in a sandboxed process. SIGTERM or Ctrl-C: no more jobs are \
        taken, those that run go back to the queue, and the worker leaves with status 0; a second one kills. Under systemd it \
        says when it is ready and feeds the watchdog. Log lines are JSON objects on standard error. With --moderate a program \
        is shown frames of every output before that is published: it gets a folder with 0001.jpg, 0002.jpg … and frames.json (their \
        times in seconds), and answers {"verdict":"allow"|"refuse"|"review","category":"…"} on standard output. Any other \
        answer, an error or silence is a refusal: the job fails with status 77 and publishes nothing.
        """,
      options: [
        Option("slots", .text("CLASS=N,…"), default: "cpu=2,encode=1,io=4,net=4", "How many jobs of each class run at once."),
        .flag("once", "Run one job and leave."),
        .flag(
          "drain",
          """
          Leave when nothing is left that this worker could run now or later. What it has no slots for or whose kind it does not \
          know, and what waits for such a job or for a paused one, is not waited for: a log line says how many there are.
          """),
        Option(
          "listen", .file("SOCKET"), default: "none",
          "A unix socket that answers /livez, /readyz and /metrics over HTTP, to the same user only."),
        Option(
          "lease", .number("SECONDS", in: 1...3600), default: "30, with postgresql:// 4",
          "After this time without a sign of life a worker's jobs are taken by others."),
        Option(
          "fetch", .choice(["none", "global", "local", "any"]), default: "global",
          """
          Which hosts jobs may fetch inputs from and send outputs to by https://: none, those of the internet, this machine too, \
          or the studio's own network too.
          """),
        Option(
          "cache-quota", .integer("GIB", in: 1...1_000_000), default: "20", "How much fetched inputs may take on disk, beside the store."),
        Option(
          "moderate", .file("PROGRAM"), default: "none", "Ask this program about sampled frames before an output is published."),
        Option("moderation-frames", .integer("N", in: 1...256), default: "16", "How many frames of each output it is shown."),
        Option("moderation-timeout", .number("S", in: 1...3600), default: "60", "How long it may take; after that the answer is no."),
        Option(
          "isolation", .choice(["process", "none"]), default: "process",
          "Where media is parsed: in a sandboxed worker process, or in this one."),
        Option(
          "limit", .text("NAME=VALUE"), default: "as for reel encode", repeats: true,
          "Raise or lower a limit; the names are those that a refusal prints."),
      ],
      commonOptions: CommonOptions.store,
      examples: [
        .init("reel worker --drain", "do all that waits, then leave"),
        .init("reel worker --listen $XDG_RUNTIME_DIR/reel.sock", "a service with health checks"),
      ], action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let store = try Store.jobs(invocation)
    var settings = RunnerConfiguration()
    if let text = invocation.value("slots") { settings.slots = try slots(text) }
    let isRemote = store.database.dialect == .postgresql
    settings.leaseSeconds = invocation.number("lease") ?? (isRemote ? 4 : 30)
    // The log has made this folder for its key.
    if isRemote { settings.folder = Store.folder }
    settings.remote = try remote(invocation, store)
    let limits = try CommonOptions.limits(invocation)
    let isolation: MediaJobHandler.Isolation =
      invocation.value("isolation") == "none" ? .inProcess(threads: 2) : .process(WorkerPool())
    var configuration = Daemon.Configuration()
    configuration.socketPath = invocation.value("listen")
    if !invocation.isQuiet { configuration.log = { [console = invocation.console] in console.note($0 + "\n") } }
    let log = try Store.log(store.database)
    let daemon = try Daemon(
      store: store, handlers: .media(isolation, limits: limits, moderation: try moderation(invocation, log)), runner: settings,
      configuration: configuration)
    // Purges and reports as long as this worker runs; another worker on the same store takes over afterwards.
    let report = configuration.log
    let keeper = try LogKeeper(log, problem: { report?(problemLine($0)) })
    keeper.start()
    defer { keeper.stop() }
    try daemon.run(
      until: invocation.flag("once") ? .one : invocation.flag("drain") ? .drained : .stopped, cancellation: invocation.cancellation)
    if invocation.isJSON { try invocation.console.write(#"{"schema":1}"# + "\n") }
    return 0
  }

  private static func moderation(_ invocation: Invocation, _ log: MetadataLog) throws -> OutputModeration? {
    guard let program = invocation.value("moderate") else { return nil }
    guard access(program, X_OK) == 0, let whole = realpath(program, nil) else {
      throw MediaError(
        .configuration, "cannot use \(program) for moderation", path: program, reason: String(cString: strerror(errno)),
        advice: "name a program that may be run")
    }
    defer { free(whole) }
    let hook = ModerationProgram(path: String(cString: whole), timeoutSeconds: invocation.number("moderation-timeout") ?? 60)
    var moderation = OutputModeration(hook, log: log)
    moderation.framesPerOutput = invocation.integer("moderation-frames") ?? 16
    return moderation
  }

  private static func problemLine(_ text: String) -> String {
    var members: [(String, JSON)] = [("time", .integer(Int64(time(nil)))), ("level", .string("warning"))]
    members += [("event", .string("logProblem")), ("message", .string(text))]
    return JSON.object(members).text(indent: nil)
  }

  private static func remote(_ invocation: Invocation, _ store: JobStore) throws -> RemoteFiles? {
    var client = HTTPClient.Configuration()
    switch invocation.value("fetch") ?? "global" {
    case "none": return nil
    case "local": client.addresses = .globalAndLoopback
    case "any": client.addresses = .any
    default: client.addresses = .global
    }
    let file = (store.database as? SQLiteDatabase)?.path
    let folder = file.map { path in path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." } ?? Store.folder
    let gibibytes = Int64(invocation.integer("cache-quota") ?? 20)
    return RemoteFiles(cache: try InputCache(folder: folder + "/inputs", quotaBytes: gibibytes << 30), client: client)
  }

  private static func slots(_ text: String) throws -> [String: Int] {
    var slots: [String: Int] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", omittingEmptySubsequences: false)
      guard pair.count == 2, !pair[0].isEmpty, let count = Int(pair[1]), (0...1024).contains(count) else {
        throw MediaError(.usage, "bad option --slots", reason: "'\(part)' is not CLASS=N", advice: "as in --slots cpu=2,encode=1")
      }
      slots[String(pair[0])] = count
    }
    return slots
  }
}
