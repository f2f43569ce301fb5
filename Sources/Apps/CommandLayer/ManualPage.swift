/// The manual page of the whole tool in roff (man(7) macros), for `man -l`.
struct ManualPage {
  let root: Command
  let version: String
  /// Sections that belong to the tool and not to one command: title and paragraphs.
  let sections: [(title: String, text: String)]

  var text: String {
    var lines = [
      ".TH \(root.name.uppercased()) 1 \"\" \"\(root.name) \(version)\" \"User Commands\"", ".SH NAME",
      "\(root.name) \\- \(escape(root.summary))", ".SH SYNOPSIS", ".B \(root.name)", ".I COMMAND", "[\\fIOPTIONS\\fR]", ".SH DESCRIPTION",
    ]
    lines += root.discussion.split(separator: "\n\n").flatMap { [".PP", escape(String($0))] }
    lines.append(".SH COMMANDS")
    for command in root.subcommands { lines += describe(command, path: [command.name]) }
    lines.append(".SH COMMON OPTIONS")
    lines += CommonOptions.task.flatMap(describe)
    for section in sections {
      lines += [".SH \(section.title.uppercased())"]
      lines += section.text.split(separator: "\n").flatMap {
        $0.hasPrefix("  ") ? [".br", escape(String($0))] : [".PP", escape(String($0))]
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func describe(_ command: Command, path: [String]) -> [String] {
    if !command.subcommands.isEmpty {
      return command.subcommands.flatMap { describe($0, path: path + [$0.name]) }
    }
    var lines = [".SS \(escape(HelpText(root: root, command: command, path: path).usage))", "\(escape(command.summary))."]
    lines += command.discussion.split(separator: "\n\n").flatMap { [".PP", escape(String($0))] }
    for argument in command.arguments { lines += [".TP", ".I \(escape(argument.name))", escape(argument.help)] }
    lines += command.options.flatMap(describe)
    for example in command.examples {
      lines += [".PP", "\(escape(example.meaning)):", ".PP", ".nf", ".RS", escape(example.line), ".RE", ".fi"]
    }
    return lines
  }

  private func describe(_ option: Option) -> [String] {
    let spelled = (option.short.map { "\\fB\\-\($0)\\fR, " } ?? "") + "\\fB\(escape("--" + option.name))\\fR"
    return [
      ".TP", spelled + (option.placeholder.map { " \\fI\(escape($0))\\fR" } ?? ""),
      escape("\(option.help) Default: \(option.defaultText)."),
    ]
  }

  private func escape(_ text: String) -> String {
    let escaped = text.map { character -> String in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      default: String(character)
      }
    }.joined()
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }
}
