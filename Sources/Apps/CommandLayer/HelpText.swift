/// The help text of one command: `reel help X` and `reel X --help` print the same.
struct HelpText {
  let root: Command
  let command: Command
  let path: [String]
  /// Columns of text.
  var width = 80

  /// `"reel probe FILE… [OPTIONS]"`.
  var usage: String {
    let words = [root.name] + path
    if !command.subcommands.isEmpty { return (words + ["COMMAND …"]).joined(separator: " ") }
    return (words + command.arguments.map(\.usage) + (command.allOptions.isEmpty ? [] : ["[OPTIONS]"])).joined(separator: " ")
  }

  var text: String {
    var parts = [([root.name] + path).joined(separator: " ") + ": " + command.summary, "Usage: " + usage]
    if !command.discussion.isEmpty { parts.append(paragraphs(command.discussion)) }
    if !command.subcommands.isEmpty {
      parts.append(section("Commands", command.subcommands.map { ($0.name, $0.summary) }))
    }
    if !command.arguments.isEmpty {
      parts.append(section("Arguments", command.arguments.map { ($0.name, $0.help) }))
    }
    if !command.options.isEmpty { parts.append(section("Options", command.options.map(describe))) }
    let common = command.allOptions.dropFirst(command.options.count)
    if !common.isEmpty { parts.append(section("Common options", common.map(describe))) }
    if !command.examples.isEmpty {
      parts.append("Examples:\n" + command.examples.map { "  \($0.line)\n      \($0.meaning)" }.joined(separator: "\n"))
    }
    if !command.subcommands.isEmpty {
      parts.append("'\(([root.name, "help"] + path).joined(separator: " ")) COMMAND' tells more about a command.")
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func describe(_ option: Option) -> (String, String) {
    let long = "--\(option.name)" + (option.placeholder.map { " \($0)" } ?? "")
    let term = (option.short.map { "-\($0), " } ?? "") + long + (option.repeats ? " …" : "")
    return (term, option.help + " Default: \(option.defaultText)" + (option.defaultText.hasSuffix(".") ? "" : "."))
  }

  private func section(_ title: String, _ rows: [(term: String, text: String)]) -> String {
    let column = 2 + min(24, rows.map(\.term.count).max() ?? 0) + 2
    let lines = rows.map { row -> String in
      let wrapped = HelpText.wrap(row.text, width: width - column)
      let indent = String(repeating: " ", count: column)
      let body = wrapped.joined(separator: "\n" + indent)
      let term = "  " + row.term
      return term.count + 2 <= column ? term.padded(to: column) + body : term + "\n" + indent + body
    }
    return title + ":\n" + lines.joined(separator: "\n")
  }

  private func paragraphs(_ text: String) -> String {
    text.split(separator: "\n\n").map { paragraph -> String in
      if paragraph.hasPrefix("  ") { return String(paragraph) }
      return HelpText.wrap(paragraph.split(separator: "\n").joined(separator: " "), width: width).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// Lines of at most `width` columns, broken at spaces.
  static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [line]
  }
}

extension String {
  /// The text with spaces added on the right up to `columns`.
  func padded(to columns: Int) -> String {
    self + String(repeating: " ", count: max(0, columns - count))
  }
}
