import MediaCore

/// `reel help`: help for a command, the manual page, completion scripts.
enum HelpCommand {
  static func make(_ root: Command, version: String, manualSections: [(title: String, text: String)]) -> Command {
    let pages: @Sendable () -> [(title: String, text: String)] = { [manualSections] in manualSections }
    var declaration = Command(
      "help", summary: "help for a command, the manual page, shell completion",
      arguments: [Argument("COMMAND", .any, kind: .text, "The command to explain, as in 'watermark embed'. Without one: a list of all.")],
      options: [
        .flag("man", "Print the manual page in roff, for man -l or for installation."),
        Option(
          "completion", .choice(Completion.Shell.allCases.map(\.rawValue)), default: "none", "Print a completion script for that shell."),
      ],
      commonOptions: [],
      examples: [
        .init("\(root.name) help probe", "all options of probe"),
        .init("source <(\(root.name) help --completion bash)", "completion in this shell"),
      ],
      action: { _ in 0 })
    let complete = { [declaration] in
      var complete = root
      complete.subcommands.append(declaration)
      return complete
    }()
    declaration.action = { invocation in
      if let shell = invocation.value("completion").flatMap(Completion.Shell.init) {
        try invocation.console.write(Completion(root: complete).script(for: shell))
      } else if invocation.flag("man") {
        try invocation.console.write(ManualPage(root: complete, version: version, sections: pages()).text)
      } else {
        guard case .help(let command, let path) = try CommandParser(root: complete).parse(invocation.list("COMMAND") + ["--help"]) else {
          preconditionFailure("--help parses as help")
        }
        try invocation.console.write(HelpText(root: complete, command: command, path: path).text)
      }
      return 0
    }
    return declaration
  }
}
