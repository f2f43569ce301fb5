public import MediaCore
import PositionedJSON

/// The options that commands share. They mean the same everywhere.
public enum CommonOptions {
  /// For every command.
  public static let console: [Option] = [
    .flag("json", "Print exactly one JSON document on standard output, errors included."),
    .flag("verbose", "Print the details of an error and what is being done."),
    .flag("quiet", "Print nothing but results and errors."),
  ]

  /// For commands that work on media.
  public static let task: [Option] =
    console + [
      Option("report", .file("FILE|-"), default: "none", "Write a report of what was read, done and found to FILE; - is standard output."),
      Option(
        "progress", .choice(["bar", "plain", "json", "none"]), default: "bar on a terminal, else none",
        "How to show progress on standard error."),
      .flag("overwrite", "Replace an output that exists. The old file stays until the new one is whole."),
      .flag("allow-incomplete", "Accept an input that is damaged or ends early, keep what there is and say so."),
      Option(
        "isolation", .choice(["process", "none"]), default: "process",
        "Where media is parsed: in a sandboxed worker process, or in this one."),
      Option(
        "limit", .text("NAME=VALUE"), default: limitDefaults, repeats: true,
        "Raise or lower a limit; the names are those that a refusal prints."),
      Option("threads", .integer("N", in: 1...1024), default: "the number of cores", "Threads for decoding and encoding."),
      Option("project", .text("P"), default: "none", "The project that this work is recorded under."),
      Option("label", .text("K=V"), default: "none", repeats: true, "A label for the record of this work."),
      Option("metadata", .text("K=V"), default: "none", repeats: true, "Metadata of yours for the sidecar of the output."),
    ]

  /// For commands that use the job store. One that can do its work for a single project, or for what carries a label, adds
  /// `onlyProject` and `onlyLabel`: an option that a command does not act upon is not offered.
  public static let store: [Option] =
    console + [
      Option(
        "store", .text("URL"), default: "$XDG_STATE_HOME/reelwright/jobs.sqlite",
        "The store: a path or sqlite: URL of an SQLite database, or postgresql://…")
    ]

  public static let onlyProject = Option("project", .text("P"), default: "all", "Only this project.")

  public static let onlyLabel = Option("label", .text("K=V"), default: "none", repeats: true, "Only what carries this label.")

  private static var limitDefaults: String {
    let limits = Limits()
    return Limits.all.map { "\($0.name)=\(limits[keyPath: $0.path])" }.joined(separator: " ")
  }

  /// The limits in force: the defaults, changed by each `--limit NAME=VALUE`.
  public static func limits(_ invocation: Invocation) throws(MediaError) -> Limits {
    var limits = Limits()
    for (name, value) in try invocation.pairs("limit") {
      guard let known = Limits.all.first(where: { $0.name == name }) else {
        let names = Limits.all.map(\.name)
        let nearest = NearestMatch.find(name, among: names).map { "did you mean \($0)?" }
        throw MediaError(
          .usage, "bad option --limit", reason: "there is no limit called '\(name)'",
          advice: nearest ?? "limits: " + names.joined(separator: ", "))
      }
      guard let number = Int64(value), number > 0 else {
        throw MediaError(.usage, "bad option --limit", reason: "'\(value)' is not a whole number above 0", advice: "as in \(name)=1000")
      }
      limits[keyPath: known.path] = number
    }
    return limits
  }
}
