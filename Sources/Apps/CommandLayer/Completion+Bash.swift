extension Completion {
  /// Commands by the words before the cursor; an option's words or files after it.
  var bash: String {
    var lines = [
      "# bash completion for \(root.name)", "_\(root.name)() {", "  local cur prev path i word",
      "  cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; path=",
      "  for ((i = 1; i < COMP_CWORD; i++)); do", "    word=${COMP_WORDS[i]}", "    case \"$path $word\" in",
    ]
    let paths = entries.dropFirst().map { " " + $0.path.joined(separator: " ") }
    lines.append("      " + paths.map { "\"\($0)\"" }.joined(separator: "|") + ") path=\"$path $word\" ;;")
    lines += ["    esac", "  done", "  case \"$path $prev\" in"]
    for (path, command) in entries {
      for option in command.allOptions {
        guard let action = bashValues(option) else { continue }
        let patterns = words(of: option).map { "\"\(path.map { " " + $0 }.joined()) \($0)\"" }.joined(separator: "|")
        lines.append("    \(patterns)) \(action); return ;;")
      }
    }
    lines += ["  esac", "  case \"$path\" in"]
    for (path, command) in entries {
      let options = command.allOptions.flatMap(words) + ["--help"]
      let choices = command.arguments.flatMap { argument -> [String] in
        if case .choice(let words) = argument.kind { words } else { [] }
      }
      let candidates = command.subcommands.map(\.name) + choices
      let files = command.arguments.contains { if case .file = $0.kind { true } else { false } }
      let words = files ? "compgen -f -- \"$cur\"" : "compgen -W \"\(candidates.joined(separator: " "))\" -- \"$cur\""
      lines += [
        "    \"\(path.map { " " + $0 }.joined())\")",
        "      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W \"\(options.joined(separator: " "))\" -- \"$cur\")",
        "      else mapfile -t COMPREPLY < <(\(words)); fi ;;",
      ]
    }
    lines += ["  esac", "}", "complete -o filenames -F _\(root.name) \(root.name)"]
    return lines.joined(separator: "\n") + "\n"
  }

  /// The completion of an option's value; nil for a flag.
  private func bashValues(_ option: Option) -> String? {
    switch option.value {
    case .flag: nil
    case .choice(let words): "mapfile -t COMPREPLY < <(compgen -W \"\(words.joined(separator: " "))\" -- \"$cur\")"
    case .file: "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
    case .directory: "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")"
    case .text, .integer, .number: "COMPREPLY=()"
    }
  }
}
