import CommandLayer
import FoundationEssentials
import Glibc
import Reelwright

/// `reel jobs`: the queue.
enum JobsCommand {
  static var command: Command {
    Command(
      "jobs", summary: "the queue: submit work, list it, watch it, pause, cancel and retry it",
      discussion: """
        Jobs wait in a store and are run by `reel worker`, here or, with a postgresql:// store, on other machines. A job \
        survives the death of its worker and a power failure; its outputs appear once, whole, or not at all.
        """,
      subcommands: [
        submit, list, show, watch, schedules,
        control("cancel", "cancel a job; one that runs is stopped and leaves nothing behind") { try $0.cancel($1) },
        control("pause", "set a job aside; one that runs saves a checkpoint first") { try $0.pause($1) },
        control("resume", "put a paused job back into the queue") { try $0.resume($1) },
        control("retry", "put a failed or cancelled job back into the queue") { try $0.retry($1) },
      ])
  }

  private static func control(
    _ name: String, _ summary: String, _ change: @escaping @Sendable (JobStore, JobID) throws -> JobState
  ) -> Command {
    Command(
      name, summary: summary,
      discussion: "A job that cannot be changed so does not keep the others from it; the status is that of the first such job.",
      arguments: [Argument("ID", .oneOrMore, kind: .text, "The job's number.")], commonOptions: CommonOptions.store
    ) { invocation in
      // A word that is no number is found before anything is changed.
      let ids = try invocation.list("ID").map(identifier)
      let store = try Store.existingJobs(invocation)
      var changed: [JSON] = []
      var status: Int32 = 0
      var isBroken = false
      for id in ids {
        var members: [(String, JSON)] = [("id", JSON.integer(id.rawValue))]
        do {
          guard let store else { throw JobsError(.unknownJob, "cannot \(name) job \(id)", reason: "there is no such job") }
          let state = try store.patiently { try change(store, id) }
          members += [("state", JSON.string(state.name)), ("error", JSON.null)]
          if !invocation.isJSON, !invocation.isQuiet { try invocation.console.write("\(id) \(state.name)\n") }
        } catch let error as any ReportedError {
          invocation.console.note(Tool.errorText(error, name: "reel", isVerbose: invocation.isVerbose))
          members += [("state", JSON.null), ("error", failure(error))]
          if status == 0 { status = error.exitStatus }
          // A store that fails would fail the rest too.
          if !(error is JobsError) { isBroken = true }
        }
        changed.append(JSON.object(members))
        if isBroken { break }
      }
      if invocation.isJSON { try print(answer("jobs", JSON.array(changed)), invocation) }
      return status
    }
  }

  private static func failure(_ error: any ReportedError) -> JSON {
    JSON.object([("code", JSON.string(error.codeName)), ("message", JSON.string(error.line)), ("file", JSON(error.file))])
  }

  // MARK: Submit

  private static var submit: Command {
    Command(
      "submit", summary: "add jobs to the queue",
      discussion: """
        SPEC is a JSON file, or - for standard input: one job, or an array of them; all are added, or none. `reel schema job` \
        prints the form. Paths of inputs and outputs are taken from the current folder. Prints the number of each job once \
        it is safe from a power failure. A kind of job that reel does not know is refused: its own worker would never run it.
        """,
      arguments: [Argument("SPEC", .one, "The file with the jobs, or -.")],
      options: [
        Option(
          "every", .text("CRON"), default: "none",
          "Submit the job again and again: five fields of cron in UTC, or @hourly … @yearly. Needs --schedule."),
        Option("schedule", .text("NAME"), default: "none", "The name of the schedule that --every makes or replaces."),
        .flag("any-kind", "Accept kinds that reel does not know, for a worker of your own."),
      ], commonOptions: CommonOptions.store,
      examples: [
        .init("reel jobs submit encode.json", "add one job"),
        .init("reel jobs submit nightly.json --every '0 3 * * *' --schedule nightly", "every night at three"),
      ],
      action: runSubmit)
  }

  private static func runSubmit(_ invocation: Invocation) throws -> Int32 {
    if invocation.has("schedule"), !invocation.has("every") {
      throw MediaError(.usage, invocation.commandLine, reason: "--schedule needs --every", advice: "as in --every @daily")
    }
    let specs = try specs(invocation)
    let store = try Store.jobs(invocation)
    if let every = invocation.value("every") {
      let name = try invocation.needed("schedule", "name the schedule")
      guard specs.count == 1 else { throw MediaError(.usage, invocation.commandLine, reason: "a schedule needs exactly one job") }
      try store.patiently { try store.setSchedule(name: name, cron: CronSchedule(every), spec: specs[0]) }
      if invocation.isJSON { try print(answer("schedule", JSON.string(name)), invocation) }
      return 0
    }
    let added = try store.patiently { try store.submit(specs) }
    if invocation.isJSON {
      let jobs: [JSON] = added.map { JSON.object([("id", JSON.integer($0.id.rawValue)), ("new", JSON.bool($0.isNew))]) }
      try print(answer("jobs", JSON.array(jobs)), invocation)
    } else {
      try invocation.console.write(added.map { "\($0.id)\n" }.joined())
    }
    return 0
  }

  private static func specs(_ invocation: Invocation) throws -> [JobSpec] {
    let path = invocation.required("SPEC")
    let anyKind = invocation.flag("any-kind")
    let bytes: [UInt8]
    if path == "-" {
      bytes = try readAll(0, "standard input", invocation.cancellation)
    } else {
      let input = try LocalFiles.openInput(path: path)
      bytes = try readAll(input.descriptor.rawValue, path, invocation.cancellation)
    }
    let node = try JSONParser.parse(bytes, source: JSONSource(path == "-" ? "standard input" : path))
    let nodes = node.asArray ?? [node]
    guard !nodes.isEmpty else { throw node.error("there is no job in it") }
    return try nodes.map { node in
      var spec = try JobSpec(json: node)
      if !anyKind, !TaskRegistry.kinds.contains(spec.kind) {
        let nearest = NearestMatch.find(spec.kind, among: TaskRegistry.kinds).map { "did you mean \($0)? " } ?? ""
        let place = node.asObject?.first { $0.key == "kind" }?.node ?? node
        throw place.error(
          "reel has no kind of job called '\(spec.kind)'",
          advice: "\(nearest)known: \(TaskRegistry.kinds.joined(separator: ", ")); --any-kind submits it for a worker of your own")
      }
      spec.inputs = spec.inputs.mapValues(absolute)
      spec.outputs = spec.outputs.mapValues(absolute)
      // What a worker would refuse is refused before it is queued.
      _ = try TaskPayload.complete(kind: spec.kind, spec.payload)
      return spec
    }
  }

  /// The worker runs elsewhere: a path must not depend on the current folder.
  private static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") || path.contains("://") { return path }
    let folder = FileManager.default.currentDirectoryPath
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
  }

  private static func readAll(_ descriptor: Int32, _ name: String, _ cancellation: Cancellation) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= 64 << 20 {
      // Whoever writes to a pipe may take long; a signal ends the wait.
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, 100) == 0 {
        try cancellation.check("cannot read \(name)")
        continue
      }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw MediaError(.io, "cannot read \(name)", reason: String(cString: strerror(errno))) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
    throw MediaError(.refused, "cannot read \(name)", reason: "it has more than 64 MiB")
  }

  // MARK: List and show

  private static var list: Command {
    Command(
      "list", summary: "the jobs of the store, oldest first",
      options: [
        Option("state", .choice(JobState.allCases.map(\.name)), default: "all", repeats: true, "Only jobs in this state."),
        Option("kind", .text("KIND"), default: "all", "Only jobs of this kind."),
        Option("after", .integer("ID"), default: "0", "Only jobs with a higher number."),
        Option("limit", .integer("N", in: 1...1_000_000), default: "1000", "At most this many."),
        CommonOptions.onlyProject, CommonOptions.onlyLabel,
      ], commonOptions: CommonOptions.store,
      examples: [.init("reel jobs list --state failed", "what went wrong")], action: runList)
  }

  private static func runList(_ invocation: Invocation) throws -> Int32 {
    let store = try Store.readableJobs(invocation)
    var filter = JobFilter()
    filter.states = Set(invocation.values("state").compactMap { JobState(name: $0) })
    filter.kind = invocation.value("kind")
    filter.project = invocation.value("project")
    filter.labels = Dictionary(try invocation.pairs("label").map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    filter.after = invocation.integer("after").map { JobID(Int64($0)) }
    filter.limit = invocation.integer("limit") ?? filter.limit
    let jobs = try store?.jobs(filter) ?? []
    if invocation.isJSON {
      try print(answer("jobs", JSON.array(jobs.map { JobDocument.json($0) })), invocation)
    } else {
      try invocation.console.write(table(jobs))
    }
    return 0
  }

  private static func table(_ jobs: [Job]) -> String {
    var table = TextTable()
    for job in jobs {
      let columns = JobDocument.columns(job)
      table.add(columns[0], columns[1], columns[2], columns[3], columns[4])
    }
    return table.text()
  }

  private static var show: Command {
    Command(
      "show", summary: "one job with its outputs and its error", arguments: [Argument("ID", .one, kind: .text, "The job's number.")],
      commonOptions: CommonOptions.store
    ) { invocation in
      let store = try Store.readableJobs(invocation)
      let job = try find(store, invocation.required("ID"))
      let outputs = try store?.outputs(of: job.id) ?? []
      if invocation.isJSON {
        try print(answer("job", JobDocument.json(job, outputs: outputs)), invocation)
      } else {
        var table = TextTable()
        table.add("job", "\(job.id)")
        table.add("state", job.state.name)
        table.add("kind", job.spec.kind)
        if let name = job.spec.name { table.add("name", name) }
        table.add("project", job.spec.project)
        table.add("attempt", "\(job.attempt) of \(job.spec.retry.attempts)")
        if job.crashCount > 0 { table.add("crashes", "\(job.crashCount) of \(job.spec.crashLimit)") }
        let remark = JobDocument.remark(job)
        if !remark.isEmpty { table.add("now", remark) }
        for output in outputs { table.add("output", output.path) }
        try invocation.console.write(table.text())
      }
      return 0
    }
  }

  // MARK: Watch

  private static var watch: Command {
    Command(
      "watch", summary: "follow a job, or all jobs, until they are finished",
      discussion: "Ends when the job is finished, with its exit status, or, without ID, when no job is left that could run.",
      arguments: [Argument("ID", .optional, kind: .text, "The job's number.")],
      commonOptions: CommonOptions.store, action: runWatch)
  }

  private static func runWatch(_ invocation: Invocation) throws -> Int32 {
    guard let store = try Store.readableJobs(invocation) else {
      if let text = invocation.argument("ID") { _ = try find(nil, text) }
      if invocation.isJSON { try print(answer("jobs", JSON.array([])), invocation) }
      return 0
    }
    let bell = try store.database.doorbell(JobStore.bell)
    var shown: [JobID: String] = [:]
    var filter = JobFilter()
    filter.states = [.available, .scheduled, .running, .retryable]
    while true {
      try invocation.cancellation.check("cannot watch")
      var jobs: [Job]
      if let text = invocation.argument("ID") {
        jobs = [try find(store, text)]
      } else {
        jobs = try store.jobs(filter)
        // Those seen before and finished since.
        for id in shown.keys.sorted() where !jobs.contains(where: { $0.id == id }) {
          if let job = try store.job(id) { jobs.append(job) }
        }
      }
      for job in jobs {
        let line = JobDocument.columns(job).joined(separator: "  ")
        if shown[job.id] == nil, job.state == .available || job.state == .scheduled, !TaskRegistry.kinds.contains(job.spec.kind) {
          invocation.console.note("reel: job \(job.id) waits for a worker that knows its kind, \(job.spec.kind): reel worker does not\n")
        }
        if shown[job.id] != line, !invocation.isJSON, !invocation.isQuiet { try invocation.console.write(line + "\n") }
        shown[job.id] = job.state.isFinal || job.state == .paused ? nil : line
      }
      if let only = jobs.first, invocation.argument("ID") != nil, only.state.isFinal {
        if invocation.isJSON {
          try print(answer("job", JobDocument.json(only, outputs: try store.outputs(of: only.id))), invocation)
        }
        return only.state == .done ? 0 : only.state == .cancelled ? 130 : only.failure?.exitStatus ?? 70
      }
      if invocation.argument("ID") == nil, shown.isEmpty {
        if invocation.isJSON { try print(answer("jobs", JSON.array([])), invocation) }
        return 0
      }
      // Progress does not ring.
      _ = bell.wait(milliseconds: 500)
    }
  }

  // MARK: Schedules

  private static var schedules: Command {
    Command(
      "schedules", summary: "the jobs that are submitted again and again",
      options: [Option("remove", .text("NAME"), default: "none", "Remove this schedule.")], commonOptions: CommonOptions.store
    ) { invocation in
      let store = try invocation.has("remove") ? Store.existingJobs(invocation) : Store.readableJobs(invocation)
      if let name = invocation.value("remove"), try store?.removeSchedule(name: name) != true {
        throw JobsError(
          .unknownJob, "cannot remove the schedule \(name)", reason: "there is no such schedule", advice: "reel jobs schedules shows them")
      }
      let schedules = try store?.schedules() ?? []
      if invocation.isJSON {
        try print(answer("schedules", JSON.array(schedules.map(document))), invocation)
      } else {
        var table = TextTable()
        for schedule in schedules {
          let next = Date(timeIntervalSince1970: Double(schedule.nextAt) / 1e6).formatted(.iso8601)
          table.add(schedule.name, schedule.cron.description, schedule.spec.kind, "next \(next)")
        }
        try invocation.console.write(table.text())
      }
      return 0
    }
  }

  private static func document(_ schedule: JobSchedule) -> JSON {
    var members: [(String, JSON)] = [("name", JSON.string(schedule.name))]
    members.append(("cron", JSON.string(schedule.cron.description)))
    members.append(("nextAt", JSON.double(Double(schedule.nextAt) / 1e6)))
    members.append(("lastJob", schedule.lastJob.map { JSON.integer($0.rawValue) } ?? JSON.null))
    members.append(("spec", schedule.spec.shown.json))
    return JSON.object(members)
  }

  // MARK: Shared

  private static func answer(_ name: String, _ value: JSON) -> JSON {
    JSON.object([("schema", JSON.integer(1)), (name, value)])
  }

  private static func identifier(_ text: String) throws -> JobID {
    guard let id = JobID(text) else { throw MediaError(.usage, "bad job number", reason: "'\(text)' is not a whole number above 0") }
    return id
  }

  private static func find(_ store: JobStore?, _ text: String) throws -> Job {
    let id = try identifier(text)
    guard let job = try store?.job(id) else {
      throw JobsError(.unknownJob, "cannot show job \(id)", reason: "there is no such job", advice: "reel jobs list shows them")
    }
    return job
  }

  private static func print(_ json: JSON, _ invocation: Invocation) throws { try invocation.console.write(json.text() + "\n") }
}
