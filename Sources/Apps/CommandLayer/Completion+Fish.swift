extension Completion {
  /// `complete` lines guarded by the commands already typed.
  var fish: String {
    var lines = ["# fish completion for \(root.name)", "complete -c \(root.name) -f"]
    for (path, command) in entries {
      let condition = guardCondition(path, command)
      for sub in command.subcommands {
        lines.append("complete -c \(root.name) -n '\(condition)' -a \(sub.name) -d '\(quote(sub.summary))'")
      }
      for option in command.allOptions {
        let short = option.short.map { " -s \($0)" } ?? ""
        lines.append(
          "complete -c \(root.name) -n '\(condition)'\(short) -l \(option.name)\(value(of: option)) -d '\(quote(option.help))'")
      }
      for argument in command.arguments {
        switch argument.kind {
        case .file: lines.append("complete -c \(root.name) -n '\(condition)' -F")
        case .choice(let words): lines.append("complete -c \(root.name) -n '\(condition)' -a '\(words.joined(separator: " "))'")
        case .text: break
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func guardCondition(_ path: [String], _ command: Command) -> String {
    if path.isEmpty { return "__fish_use_subcommand" }
    let seen = path.map { "__fish_seen_subcommand_from \($0)" }
    let none =
      command.subcommands.isEmpty ? [] : ["not __fish_seen_subcommand_from \(command.subcommands.map(\.name).joined(separator: " "))"]
    return (seen + none).joined(separator: "; and ")
  }

  private func value(of option: Option) -> String {
    switch option.value {
    case .flag: ""
    case .choice(let words): " -x -a '\(words.joined(separator: " "))'"
    case .file: " -r -F"
    case .directory: " -x -a '(__fish_complete_directories)'"
    case .text, .integer, .number: " -x"
    }
  }

  private func quote(_ text: String) -> String {
    text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
  }
}
