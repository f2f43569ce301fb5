import CommandLayer
import Reelwright

/// `reel creators`: who stands behind a watermark.
enum CreatorsCommand {
  static var command: Command {
    Command(
      "creators", summary: "the registry of watermark ids: creators, outputs, consent",
      discussion: """
        A mark is a random id; this registry alone joins it to a creator, and only as long as the creator agrees. A creator's \
        id is opaque: 1 to 64 letters, digits and hyphens, not a name.
        """,
      examples: [
        .init("reel creators enrol c-1f3a", "a creator agrees"),
        .init("reel creators mark c-1f3a", "a new id for an output of theirs"),
        .init("reel creators who 00000000000003e8", "whose mark a detection has found"),
      ],
      subcommands: [enrol, withdraw, list, mark, who])
  }

  private static let project = Option(
    "project", .text("P"), default: "default", "The project that this is recorded under.")

  private static let creator = Argument("CREATOR", .one, kind: .text, "The creator's opaque id.")

  private static var enrol: Command {
    Command(
      "enrol", summary: "enrol a creator, with their consent", arguments: [creator], options: [project],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let creator = invocation.required("CREATOR")
        try CreatorRegistry(Store.log(invocation)).enrol(creator, project: invocation.value("project") ?? "default")
        if invocation.isJSON { try invocation.console.writeJSON(ConsentDocument(creator: creator, enrolled: true)) }
        return 0
      })
  }

  private static var withdraw: Command {
    Command(
      "withdraw", summary: "end a creator's consent",
      discussion: "No output of theirs is marked any more, and no detection of an old mark is reported.",
      arguments: [creator], options: [project], commonOptions: CommonOptions.store,
      action: { invocation in
        let creator = invocation.required("CREATOR")
        guard let log = try Store.existingLog(invocation) else {
          throw MetadataLogError(.missing, "cannot withdraw \(creator)", reason: "no such creator is enrolled")
        }
        try CreatorRegistry(log).withdraw(creator, project: invocation.value("project") ?? "default")
        if invocation.isJSON { try invocation.console.writeJSON(ConsentDocument(creator: creator, enrolled: false)) }
        return 0
      })
  }

  private static var list: Command {
    Command(
      "list", summary: "the creators, or the ids of their marks",
      options: [
        .flag("ids", "The watermark ids of creators who agree, one a line: a registry for 'reel watermark detect'."),
        Option("project", .text("P"), default: "all", "Only creators with marks of this project, and only those marks."),
      ],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let registry = try Store.readableLog(invocation).map { CreatorRegistry($0) }
        let project = invocation.value("project")
        if invocation.flag("ids") {
          let ids = try registry?.marks(project: project).map(\.watermark) ?? []
          if invocation.isJSON {
            try invocation.console.writeJSON(IdDocument(ids: ids))
          } else {
            try invocation.console.write(ids.map { $0 + "\n" }.joined())
          }
          return 0
        }
        let creators = try registry?.creators(project: project) ?? []
        if invocation.isJSON {
          try invocation.console.writeJSON(
            CreatorDocument(creators: creators.map { .init(id: $0.id, enrolled: $0.withdrawnMicroseconds == nil, marks: $0.marks) }))
        } else {
          var table = TextTable()
          for creator in creators {
            table.add(creator.id, creator.withdrawnMicroseconds == nil ? "enrolled" : "withdrawn", "\(creator.marks) marks")
          }
          try invocation.console.write(table.text())
        }
        return 0
      })
  }

  private static var mark: Command {
    Command(
      "mark", summary: "a new random watermark id for an output of a creator",
      discussion: "Prints the id for --id of 'reel watermark embed'. Refused, with status 77, for a creator who is not enrolled.",
      arguments: [creator], options: [project], commonOptions: CommonOptions.store,
      action: { invocation in
        let creator = invocation.required("CREATOR")
        guard let log = try Store.existingLog(invocation) else {
          throw MetadataLogError(
            .refused, "cannot mark an output of \(creator)", reason: "this creator is not enrolled", advice: "run reel creators enrol")
        }
        let id = try CreatorRegistry(log).makeMark(for: creator, project: invocation.value("project") ?? "default")
        if invocation.isJSON {
          try invocation.console.writeJSON(IdDocument(ids: [CreatorRegistry.text(id)]))
        } else {
          try invocation.console.write(CreatorRegistry.text(id) + "\n")
        }
        return 0
      })
  }

  private static var who: Command {
    Command(
      "who", summary: "whose mark an id is",
      discussion: "The status is 66 when the id was never given, or its creator has withdrawn.",
      arguments: [Argument("ID", .one, kind: .text, "A watermark id: 16 hexadecimal digits, or a decimal number.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let text = invocation.required("ID")
        guard let id = text.utf8.count == 16 ? UInt64(text, radix: 16) : UInt64(text) else {
          throw MediaError(.usage, "bad id '\(text)'", reason: "an id has 16 hexadecimal digits or is a decimal number")
        }
        guard let mark = try Store.readableLog(invocation).flatMap({ try CreatorRegistry($0).who(id) }) else {
          throw MetadataLogError(
            .missing, "nobody stands behind \(CreatorRegistry.text(id))", reason: "it was never given, or its creator has withdrawn")
        }
        if invocation.isJSON {
          try invocation.console.writeJSON(
            MarkDocument(watermark: mark.watermark, creator: mark.creator, project: mark.project, output: mark.output))
        } else {
          try invocation.console.write("\(mark.creator)\n")
        }
        return 0
      })
  }

  private struct IdDocument: Encodable {
    var schema = 1
    var ids: [String]
  }

  private struct ConsentDocument: Encodable {
    var schema = 1
    var creator: String
    var enrolled: Bool
  }

  private struct CreatorDocument: Encodable {
    struct Creator: Encodable {
      var id: String
      var enrolled: Bool
      var marks: Int64
    }
    var schema = 1
    var creators: [Creator]
  }

  private struct MarkDocument: Encodable {
    var schema = 1
    var watermark: String
    var creator: String
    var project: String
    var output: String?
  }
}
