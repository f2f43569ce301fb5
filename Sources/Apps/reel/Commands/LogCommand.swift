import CommandLayer
import Reelwright

/// `reel log`: what was logged, for how long, and what becomes of it.
enum LogCommand {
  static var command: Command {
    Command(
      "log", summary: "the metadata log: read, verify, export, purge, erase, hold",
      discussion: """
        Every job leaves typed events in an append-only, hash-chained log; their payloads are sealed at rest. Execution logs \
        are gone within 24 hours, the history after 30 days, verdicts of moderation after 180 days. No event holds a path, a \
        prompt, a caption or the text of an error.
        """,
      examples: [
        .init("reel log list --project spring", "the events of a project"),
        .init("reel log erase --project spring", "everything of a project, its videos too, for good"),
      ],
      subcommands: [list, verify, export, importing, purge, erase, hold])
  }

  private static var list: Command {
    Command(
      "list", summary: "the events, oldest first",
      options: [
        Option("kind", .choice(EventKind.allCases.map(\.rawValue)), default: "all", "Only events of this kind."),
        Option("last", .integer("N", in: 1...1_000_000), default: "100", "The newest N of them."),
        CommonOptions.onlyProject,
      ],
      commonOptions: CommonOptions.store,
      examples: [.init("reel log list --kind job.failed", "jobs that failed")],
      action: { invocation in
        var filter = LogFilter()
        filter.project = invocation.value("project")
        filter.kind = invocation.value("kind").flatMap(EventKind.init(rawValue:))
        filter.limit = Int.max
        let entries = try (Store.readableLog(invocation)?.entries(filter) ?? []).suffix(invocation.integer("last") ?? 100)
        if invocation.isJSON {
          try invocation.console.writeJSON(LogDocument(events: entries.map(LogDocument.Event.init)))
        } else {
          var table = TextTable()
          for entry in entries {
            let fields = entry.event.fields.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue)=\(text($0.value))" }
            table.add(String(entry.sequence), entry.timeText, entry.event.kind.rawValue, entry.event.project, fields.joined(separator: " "))
          }
          try invocation.console.write(table.text())
        }
        return 0
      })
  }

  private static var verify: Command {
    Command(
      "verify", summary: "check every hash, payload and authentication code",
      discussion: "Names the first entry that is not what was written; then the status is 65.",
      commonOptions: CommonOptions.store,
      action: { invocation in
        let result = try Store.readableLog(invocation)?.verify() ?? LogVerification()
        if invocation.isJSON {
          try invocation.console.writeJSON(VerificationDocument(result))
        } else if let fault = result.fault {
          let place = fault.sequence.map { "entry \($0)" } ?? "the store"
          try invocation.console.write("\(place): \(fault.reason)\n")
        } else {
          try invocation.console.write("whole: \(result.liveEntries) entries, \(result.goneEntries) purged or erased\n")
        }
        return result.fault == nil ? 0 : 65
      })
  }

  private static var export: Command {
    Command(
      "export", summary: "write the log into a new folder, as JSON",
      discussion: """
        events.jsonl has one event a line, export.json names every file with its SHA-256. `reel schema event` has the schema. \
        With --project the events of other projects are left out: only their hashes are written, as of events that are gone, so \
        that the chain can be checked; such an export can be imported, and the store that takes it over holds that project only.
        """,
      arguments: [Argument("DIR", .one, kind: .file, "The folder; it must not exist.")],
      options: [
        Option("media", .file("FILE"), default: "none", repeats: true, "A file to go with it, an output for instance."),
        CommonOptions.onlyProject,
      ],
      commonOptions: CommonOptions.store,
      examples: [.init("reel log export spring --project spring --media ad.mp4", "all that is known of a project, with its video")],
      action: { invocation in
        let folder = invocation.required("DIR")
        guard let log = try Store.readableLog(invocation) else {
          throw MetadataLogError(
            .missing, "cannot export to \(folder)", reason: "nothing has been logged yet", advice: "--store names another store")
        }
        let media = invocation.values("media").map { ExportedFile(name: String($0.split(separator: "/").last ?? "file"), path: $0) }
        let summary = try log.export(to: folder, project: invocation.value("project"), media: media)
        try tell(summary, "exported to \(folder)", ExportDocument(summary, folder: folder), invocation)
        return 0
      })
  }

  private static var importing: Command {
    Command(
      "import", summary: "take over the log of an export, into a store without events",
      discussion: """
        Every hash is checked first; when one does not fit, nothing is taken over. Of an export of one project that project's \
        events come, of the others their hashes. The media files of an export stay in its folder.
        """,
      arguments: [Argument("DIR", .one, kind: .file, "The folder that `reel log export` wrote.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let folder = invocation.required("DIR")
        let summary = try Store.log(invocation).importing(from: folder).summary
        try tell(summary, "imported from \(folder)", ExportDocument(summary, folder: folder), invocation)
        return 0
      })
  }

  private static func tell(_ summary: ExportSummary, _ what: String, _ document: ExportDocument, _ invocation: Invocation) throws {
    if invocation.isJSON { return try invocation.console.writeJSON(document) }
    if invocation.isQuiet { return }
    let project = summary.project.map { " of the project \($0)" } ?? ""
    let others = summary.project == nil ? "purged or erased" : "purged, erased or of other projects"
    let hashes = summary.hashes > 0 ? ", and the hashes of \(summary.hashes) \(others)" : ""
    let noun = summary.events == 1 ? "event" : "events"
    try invocation.console.write("\(summary.events) \(noun)\(project) \(what)\(hashes)\n")
  }

  private static var purge: Command {
    Command(
      "purge", summary: "remove the events whose time has come",
      discussion: """
        Those of every project; what is under legal hold stays. `reel worker` does so by itself; run this from a timer where no \
        worker runs.
        """,
      commonOptions: CommonOptions.store,
      action: { invocation in
        let count = try Store.existingLog(invocation)?.purge() ?? 0
        if invocation.isJSON {
          try invocation.console.writeJSON(["schema": 1, "purged": count])
        } else if !invocation.isQuiet {
          try invocation.console.write("\(count) events purged\n")
        }
        return 0
      })
  }

  private static var erase: Command {
    Command(
      "erase", summary: "erase everything of a project, its finished videos too, for good",
      discussion: """
        What goes: the project's jobs, waiting, running or finished, and its schedules; the outputs that its jobs have published, \
        finished videos among them, with their sidecars, wherever they stand on this machine; the copies of inputs that were \
        fetched for them; scratch folders; its events, whose keys are destroyed first; its watermark ids and metering. Hashes of \
        the events stay, so that the log can be checked.

        What stays: everything that is under legal hold, counted as held (see `reel log hold`); inputs of this machine; an output that was \
        changed, replaced or renamed since, is another project's too, or was sent to another host; one on the disk of another machine \
        that uses the same store, counted as not found here; copies that you made; segments in \
        $XDG_CACHE_HOME/reelwright, which belong to no project; and what a server has received.

        Jobs of other projects that wait for an unfinished one of this project are cancelled. No hold can be placed meanwhile. \
        An erasure that was interrupted is finished by the next one.
        """,
      options: [Option("project", .text("P"), default: "none; it is needed", "The project that is erased.")],
      commonOptions: CommonOptions.store,
      examples: [.init("reel log erase --project spring", "the project spring, with its videos")],
      action: { invocation in
        let project = try invocation.needed("project", "name the project, as in --project spring")
        var report = ErasureReport()
        var finished: [String] = []
        if let log = try Store.existingLog(invocation) {
          let participants = try Erasure.participants(log)
          for pending in try log.pendingErasures() where pending != project {
            try log.erase(project: pending, participants: participants)
            finished.append(pending)
          }
          report = try log.erase(project: project, participants: participants)
        }
        if invocation.isJSON {
          try invocation.console.writeJSON(ErasureDocument(report, finished: finished))
        } else if !invocation.isQuiet {
          try invocation.console.write(Erasure.text(report, finished: finished))
        }
        return 0
      })
  }

  private static var hold: Command {
    Command(
      "hold", summary: "place, list or release a legal hold",
      discussion: """
        What a hold covers is neither purged nor erased. A hold without --class covers everything of its project, or of every \
        project: events, jobs, published outputs with their sidecars, schedules, watermark ids, metering. One with --class covers \
        the events of that class (with account the watermark ids, with history the metering), not jobs and files. When a hold \
        is released, what an erasure has left because of it is there until it is erased again. While a project is being erased no hold on it \
        can be placed (75). Without --reason and --release the \
        holds are listed; --project and --class then choose which.
        """,
      options: [
        Option("reason", .text("TEXT"), default: "none", "Place a hold for this reason, at most 64 characters."),
        Option("project", .text("P"), default: "every project", "Hold only this project."),
        Option("class", .choice(RetentionClass.allCases.map(\.rawValue)), default: "everything", "Hold only this class of events."),
        Option("release", .integer("ID", in: 1...Int.max), default: "none", "Release the hold of this number."),
      ],
      commonOptions: CommonOptions.store,
      examples: [.init("reel log hold --reason case42 --project spring", "nothing of the project may go")],
      action: runHold)
  }

  private static func runHold(_ invocation: Invocation) throws -> Int32 {
    let project = invocation.value("project")
    let retention = invocation.value("class").flatMap(RetentionClass.init(rawValue:))
    let isListing = !invocation.has("release") && !invocation.has("reason")
    var log = try isListing ? Store.readableLog(invocation) : Store.existingLog(invocation)
    if let id = invocation.integer("release") {
      for name in ["reason", "project", "class"] where invocation.has(name) {
        throw MediaError(
          .usage, "log hold", reason: "--\(name) does not go with --release", advice: "a hold is released by its number alone")
      }
      guard let log else {
        throw MetadataLogError(.missing, "cannot release a hold", reason: "there is no hold \(id)", advice: "reel log hold lists them")
      }
      try log.releaseHold(Int64(id))
    } else if let reason = invocation.value("reason") {
      let place = try log ?? Store.log(invocation)
      _ = try place.placeHold(project: project, retention: retention, reason: reason)
      log = place
    }
    var holds = try log?.holds() ?? []
    if !invocation.has("reason") {
      holds = holds.filter { (project ?? $0.project) == $0.project && (retention ?? $0.retention) == $0.retention }
    }
    if invocation.isJSON {
      try invocation.console.writeJSON(HoldDocument(holds: holds.map(HoldDocument.Hold.init)))
    } else {
      var table = TextTable()
      for hold in holds {
        table.add(String(hold.id), hold.project ?? "every project", hold.retention?.rawValue ?? "everything", hold.reason)
      }
      try invocation.console.write(table.text())
    }
    return 0
  }

  private static func text(_ value: EventValue) -> String {
    switch value {
    case .integer(let number): String(number)
    case .text(let text): text
    }
  }
}
