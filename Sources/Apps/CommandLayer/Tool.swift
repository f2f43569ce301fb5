import Glibc
public import MediaCore

/// A command-line tool: a root command with help, completion, error lines and exit statuses.
public struct Tool: Sendable {
  /// The root command with the `help` command among its subcommands.
  public let root: Command
  public let version: String
  /// What the tool prints when it is called alone.
  public let overview: String

  /// - Parameters:
  ///   - root: Its subcommands are the commands; `help` is added.
  ///   - version: Printed by `--version`.
  ///   - overview: A few lines with examples, printed when no command is given.
  ///   - manualSections: Sections of the manual page beyond the commands: title and text.
  public init(_ root: Command, version: String, overview: String, manualSections: [(title: String, text: String)] = []) {
    var complete = root
    complete.subcommands.append(HelpCommand.make(root, version: version, manualSections: manualSections))
    self.root = complete
    self.version = version
    self.overview = overview
  }

  /// Runs one command line and returns the exit status. Never throws: errors are printed.
  ///
  /// - Parameters:
  ///   - words: The arguments without the tool's own name.
  ///   - console: Where results and errors go.
  ///   - cancellation: Handed to the command.
  ///   - signalReceived: The signal that cancelled, for the exit status. Default: none.
  public func run(
    _ words: [String], console: Console, cancellation: Cancellation = Cancellation(),
    signalReceived: () -> Int32? = { nil }
  ) -> Int32 {
    do {
      if words.isEmpty {
        try console.write(overview)
        return 0
      }
      if words == ["--version"] {
        try console.write("\(root.name) \(version)\n")
        return 0
      }
      switch try CommandParser(root: root).parse(words) {
      case .help(let command, let path):
        try console.write(HelpText(root: root, command: command, path: path).text)
        return 0
      case .run(let command, let path, let arguments, let options):
        guard let action = command.action else { preconditionFailure("a command without subcommands has an action") }
        let invocation = Invocation(
          command: command, path: path, console: console, cancellation: cancellation, arguments: arguments, options: options)
        return try action(invocation)
      }
    } catch {
      return report(error, words, console: console, signalReceived: signalReceived())
    }
  }

  /// Prints what ended the command line `words`, and returns its exit status.
  public func report(_ error: any Error, _ words: [String], console: Console, signalReceived: Int32? = nil) -> Int32 {
    let beforeEnd = words.prefix { $0 != "--" }
    let isJSON = beforeEnd.contains("--json")
    let isVerbose = beforeEnd.contains("--verbose")
    let known = error as? any ReportedError
    let reported: any ReportedError =
      known ?? MediaError(.bug, "unexpected error", reason: "\(error)", advice: "please report this as a bug of \(root.name)")
    console.note(Tool.errorText(reported, name: root.name, isVerbose: isVerbose))
    if isJSON {
      // The document is the machine's copy of the line above; a closed standard output changes neither line nor status.
      try? console.writeJSON(ErrorDocument(reported))
    }
    guard reported.exitStatus == MediaError.Code.cancelled.exitStatus else { return reported.exitStatus }
    return 128 + (signalReceived ?? SIGINT)
  }

  /// The error line, with the details below it when asked for.
  public static func errorText(_ error: any ReportedError, name: String, isVerbose: Bool) -> String {
    let details = isVerbose ? error.detailLines.map { "  \($0)\n" }.joined() : ""
    return "\(name): \(error.line)\n" + details
  }
}
