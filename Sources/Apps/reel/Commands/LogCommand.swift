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
        .init("reel log erase --project spring", "everything of a project, for good"),
      ],
      subcommands: [list, verify, export, importing, purge, erase, hold])
  }

  private static var list: Command {
    Command(
      "list", summary: "the events, oldest first",
      options: [
        Option("kind", .choice(EventKind.allCases.map(\.rawValue)), default: "all", "Only events of this kind."),
        Option("last", .integer("N", in: 1...1_000_000), default: "100", "The newest N of them."),
      ],
      commonOptions: CommonOptions.store,
      examples: [.init("reel log list --kind job.failed", "jobs that failed")],
      action: { invocation in
        var filter = LogFilter()
        filter.project = invocation.value("project")
        filter.kind = invocation.value("kind").flatMap(EventKind.init(rawValue:))
        filter.limit = Int.max
        let entries = try Store.log(invocation).entries(filter).suffix(invocation.integer("last") ?? 100)
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
        let result = try Store.log(invocation).verify()
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
      "export", summary: "write the whole log into a new folder, as JSON",
      discussion: "events.jsonl has one event a line, export.json names every file with its SHA-256. `reel schema event` has the schema.",
      arguments: [Argument("DIR", .one, kind: .file, "The folder; it must not exist.")],
      options: [
        Option("media", .file("FILE"), default: "none", repeats: true, "A file to go with it, an output for instance.")
      ],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let media = invocation.values("media").map { ExportedFile(name: String($0.split(separator: "/").last ?? "file"), path: $0) }
        try Store.log(invocation).export(to: invocation.required("DIR"), media: media)
        return 0
      })
  }

  private static var importing: Command {
    Command(
      "import", summary: "take over the log of an export, into a store without events",
      arguments: [Argument("DIR", .one, kind: .file, "The folder that `reel log export` wrote.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let (_, entries) = try Store.log(invocation).importing(from: invocation.required("DIR"))
        if !invocation.isQuiet { invocation.console.note("\(entries) lines imported\n") }
        return 0
      })
  }

  private static var purge: Command {
    Command(
      "purge", summary: "remove the events whose time has come",
      discussion: "`reel worker` does so by itself; run this from a timer where no worker runs.",
      commonOptions: CommonOptions.store,
      action: { invocation in
        let count = try Store.log(invocation).purge()
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
      "erase", summary: "erase everything of a project, for good",
      discussion: "Destroys the keys of its events first, then the events; hashes stay. What is under legal hold stays too and is counted.",
      commonOptions: CommonOptions.store,
      action: { invocation in
        let project = try invocation.needed("project", "name the project, as in --project spring")
        let log = try Store.log(invocation)
        let participants = try Erasure.participants(log.database)
        for pending in try log.pendingErasures() where pending != project { try log.erase(project: pending, participants: participants) }
        let report = try log.erase(project: project, participants: participants)
        if invocation.isJSON {
          try invocation.console.writeJSON(["schema": 1, "erased": report.events, "held": report.heldEvents])
        } else if !invocation.isQuiet {
          try invocation.console.write(
            "\(report.events) events erased" + (report.heldEvents > 0 ? ", \(report.heldEvents) held" : "") + "\n")
        }
        return 0
      })
  }

  private static var hold: Command {
    Command(
      "hold", summary: "place, list or release a legal hold",
      discussion: "What a hold covers is neither purged nor erased. Without --reason and --release the holds are listed.",
      options: [
        Option("reason", .text("TEXT"), default: "none", "Place a hold for this reason, at most 64 characters."),
        Option("class", .choice(RetentionClass.allCases.map(\.rawValue)), default: "all", "Hold only this class of events."),
        Option("release", .integer("ID", in: 1...Int.max), default: "none", "Release the hold of this number."),
      ],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let log = try Store.log(invocation)
        if let id = invocation.integer("release") {
          try log.releaseHold(Int64(id))
        } else if let reason = invocation.value("reason") {
          _ = try log.placeHold(
            project: invocation.value("project"), retention: invocation.value("class").flatMap(RetentionClass.init(rawValue:)),
            reason: reason)
        }
        let holds = try log.holds()
        if invocation.isJSON {
          try invocation.console.writeJSON(HoldDocument(holds: holds.map(HoldDocument.Hold.init)))
        } else {
          var table = TextTable()
          for hold in holds {
            table.add(String(hold.id), hold.project ?? "every project", hold.retention?.rawValue ?? "every class", hold.reason)
          }
          try invocation.console.write(table.text())
        }
        return 0
      })
  }

  private static func text(_ value: EventValue) -> String {
    switch value {
    case .integer(let number): String(number)
    case .text(let text): text
    }
  }
}
