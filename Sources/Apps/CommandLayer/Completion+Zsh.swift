extension Completion {
  /// One function a command, dispatched by `_arguments -C`.
  var zsh: String {
    var lines = ["#compdef \(root.name)", ""]
    for (path, command) in entries.reversed() {
      lines.append("\(function(path))() {")
      if command.subcommands.isEmpty {
        lines.append("  _arguments \\")
        lines += command.allOptions.flatMap(zshSpecs).map { "    \($0) \\" }
        lines += command.arguments.map { "    \(zshSpec($0)) \\" }
        lines.append("    '--help[Show help.]'")
      } else {
        lines += [
          "  local line state", "  _arguments -C '1: :->command' '*::argument:->rest'", "  case $state in", "  command)",
          "    local -a commands=(",
        ]
        lines += command.subcommands.map { "      '\(quote($0.name)):\(quote($0.summary))'" }
        lines += ["    )", "    _describe command commands ;;", "  rest)", "    case $line[1] in"]
        lines += command.subcommands.map { "    \($0.name)) \(function(path + [$0.name])) ;;" }
        lines += ["    esac ;;", "  esac"]
      }
      lines += ["}", ""]
    }
    lines.append("\(function([])) \"$@\"")
    return lines.joined(separator: "\n") + "\n"
  }

  private func function(_ path: [String]) -> String { (["_" + root.name] + path).joined(separator: "_") }

  private func zshSpecs(_ option: Option) -> [String] {
    let help = "[" + quote(option.help) + "]"
    let value: String
    switch option.value {
    case .flag: value = ""
    case .choice(let words): value = ":value:(\(words.joined(separator: " ")))"
    case .file(let name): value = ":\(quote(name)):_files"
    case .directory(let name): value = ":\(quote(name)):_files -/"
    case .text(let name), .integer(let name, _), .number(let name, _): value = ":\(quote(name)): "
    }
    let repeats = option.repeats ? "*" : ""
    return words(of: option).map { "'\(repeats)\($0)\(help)\(value)'" }
  }

  private func zshSpec(_ argument: Argument) -> String {
    let action =
      switch argument.kind {
      case .file: "_files"
      case .text: " "
      case .choice(let words): "(\(words.joined(separator: " ")))"
      }
    return "'\(argument.isList ? "*" : "")\(argument.minimum == 0 && !argument.isList ? ":" : ""):\(quote(argument.name)):\(action)'"
  }

  /// Safe inside single quotes and inside `_arguments` specifications.
  private func quote(_ text: String) -> String {
    text.map { character -> String in
      switch character {
      case "'": "'\\''"
      case "[", "]", ":": "\\\(character)"
      default: String(character)
      }
    }.joined()
  }
}
