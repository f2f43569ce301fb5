import MediaCore
import PositionedJSON

/// Turns the words of a command line into a command and its values.
///
/// `--name VALUE`, `--name=VALUE`, `-o VALUE`, `-oVALUE` and flags, in any order with arguments; `--` ends the
/// options; `-` alone is an argument.
struct CommandParser {
  let root: Command

  /// What a command line asks for.
  enum Outcome {
    case run(Command, path: [String], arguments: [String: [String]], options: [String: [String]])
    case help(Command, path: [String])
  }

  func parse(_ words: [String]) throws(MediaError) -> Outcome {
    var command = root
    var path: [String] = []
    var rest = words[...]
    while !command.subcommands.isEmpty {
      guard let word = rest.first else { return .help(command, path: path) }
      if word == "--help" || word == "-h" { return .help(command, path: path) }
      if word.hasPrefix("-") { throw misplaced(word, of: command, path: path) }
      guard let next = command.subcommands.first(where: { $0.name == word }) else { throw unknown(word, in: command, path: path) }
      command = next
      path.append(next.name)
      rest = rest.dropFirst()
    }
    let end = rest.firstIndex(of: "--") ?? rest.endIndex
    if rest[..<end].contains(where: { $0 == "--help" || $0 == "-h" }) { return .help(command, path: path) }
    let (positional, options) = try parseOptions(rest, of: command, path: path)
    return .run(command, path: path, arguments: try assign(positional, to: command, path: path), options: options)
  }

  // MARK: Options

  private func parseOptions(
    _ words: ArraySlice<String>, of command: Command, path: [String]
  ) throws(MediaError) -> (positional: [String], options: [String: [String]]) {
    var positional: [String] = []
    var options: [String: [String]] = [:]
    var index = words.startIndex
    while index < words.endIndex {
      let word = words[index]
      index += 1
      if word == "--" {
        positional += words[index...]
        break
      }
      guard word.hasPrefix("-"), word != "-", !isNegativeNumber(word, command) else {
        positional.append(word)
        continue
      }
      let (option, spelled, attached) = try find(word, in: command, path: path)
      var value = ""
      if case .flag = option.value {
        if attached != nil { throw MediaError(.usage, path.joined(separator: " "), reason: "\(spelled) takes no value") }
      } else if let attached {
        value = attached
      } else if index < words.endIndex, !isOption(words[index], of: command) {
        value = words[index]
        index += 1
      } else {
        throw MediaError(
          .usage, path.joined(separator: " "), reason: "\(spelled) needs a value", advice: "as in \(spelled) \(option.placeholder ?? "")")
      }
      try check(value, for: option, spelled)
      if options[option.name] != nil, !option.repeats, option.placeholder != nil {
        throw MediaError(.usage, path.joined(separator: " "), reason: "\(spelled) is given twice", advice: "give it once")
      }
      options[option.name, default: []].append(value)
    }
    return (positional, options)
  }

  /// `-5` is a value where the command has no option of that letter.
  private func isNegativeNumber(_ word: String, _ command: Command) -> Bool {
    guard let digit = word.dropFirst().first, digit.isNumber || digit == "." else { return false }
    return !command.allOptions.contains { $0.short == digit }
  }

  private func isOption(_ word: String, of command: Command) -> Bool {
    let name = String(word.prefix { $0 != "=" })
    return command.allOptions.contains { "--\($0.name)" == name || $0.short.map { "-\($0)" == name } == true }
  }

  private func find(
    _ word: String, in command: Command, path: [String]
  ) throws(MediaError) -> (option: Option, spelled: String, attached: String?) {
    let options = command.allOptions
    if word.hasPrefix("--") {
      let name = String(word.dropFirst(2).prefix { $0 != "=" })
      guard let option = options.first(where: { $0.name == name }) else { throw unknownOption("--\(name)", of: command, path: path) }
      let attached = word.firstIndex(of: "=").map { String(word[word.index(after: $0)...]) }
      return (option, "--\(name)", attached)
    }
    let letter = word[word.index(after: word.startIndex)]
    guard let option = options.first(where: { $0.short == letter }) else { throw unknownOption(word, of: command, path: path) }
    let rest = word.dropFirst(2)
    return (option, "-\(letter)", rest.isEmpty ? nil : String(rest.hasPrefix("=") ? rest.dropFirst() : rest))
  }

  private func check(_ value: String, for option: Option, _ spelled: String) throws(MediaError) {
    switch option.value {
    case .flag: break
    case .text, .file, .directory:
      if value.isEmpty { throw MediaError(.usage, "bad option \(spelled)", reason: "the value is empty") }
    case .integer(_, let range):
      guard let number = Int(value), range.contains(number) else {
        let bound = range.upperBound == Int.max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        throw MediaError(.usage, "bad option \(spelled)", reason: "'\(value)' is not a whole number \(bound)")
      }
    case .number(_, let range):
      guard let number = Double(value), range.contains(number) else {
        throw MediaError(
          .usage, "bad option \(spelled)", reason: "'\(value)' is not a number from \(range.lowerBound) to \(range.upperBound)")
      }
    case .choice(let words):
      try CommandParser.check(value, among: words, "bad option \(spelled)")
    }
  }

  private static func check(_ value: String, among words: [String], _ operation: String) throws(MediaError) {
    guard !words.contains(value) else { return }
    let nearest = NearestMatch.find(value, among: words).map { "did you mean \($0)? " } ?? ""
    throw MediaError(
      .usage, operation, reason: "'\(value)' is not one of its values", advice: nearest + "values: " + words.joined(separator: ", "))
  }

  // MARK: Arguments

  private func assign(_ words: [String], to command: Command, path: [String]) throws(MediaError) -> [String: [String]] {
    var values: [String: [String]] = [:]
    var rest = words[...]
    for (index, argument) in command.arguments.enumerated() {
      let reserved = command.arguments[(index + 1)...].reduce(0) { $0 + $1.minimum }
      let available = max(0, rest.count - reserved)
      let taken = argument.isList ? available : min(1, available)
      if taken < argument.minimum {
        throw MediaError(
          .usage, path.joined(separator: " "), reason: "\(argument.name) is missing",
          advice: "usage: " + HelpText(root: root, command: command, path: path).usage)
      }
      if case .choice(let words) = argument.kind {
        for word in rest.prefix(taken) { try CommandParser.check(word, among: words, "bad \(argument.name)") }
      }
      if taken > 0 { values[argument.name] = Array(rest.prefix(taken)) }
      rest = rest.dropFirst(taken)
    }
    if let extra = rest.first {
      throw MediaError(
        .usage, path.joined(separator: " "), reason: "'\(extra)' is one argument too many",
        advice: "usage: " + HelpText(root: root, command: command, path: path).usage)
    }
    return values
  }

  // MARK: What was meant

  private func unknown(_ word: String, in command: Command, path: [String]) -> MediaError {
    let nearest = NearestMatch.find(word, among: command.subcommands.map(\.name))
    let prefix = ([root.name] + path).joined(separator: " ")
    return MediaError(
      .usage, "unknown command '\((path + [word]).joined(separator: " "))'",
      reason: "\(prefix) has no such command",
      advice: nearest.map { "did you mean '\(prefix) \($0)'?" } ?? "'\(root.name) help' lists the commands")
  }

  private func misplaced(_ word: String, of command: Command, path: [String]) -> MediaError {
    let prefix = ([root.name] + path).joined(separator: " ")
    return MediaError(
      .usage, "unknown option '\(word)'", reason: "options follow the command", advice: "as in '\(prefix) \(command.subcommands[0].name) …'"
    )
  }

  private func unknownOption(_ spelled: String, of command: Command, path: [String]) -> MediaError {
    let names = command.allOptions.map { "--\($0.name)" } + ["--help"]
    let line = ([root.name] + path).joined(separator: " ")
    return MediaError(
      .usage, "unknown option '\(spelled)'", reason: "\(line) has no such option",
      advice: NearestMatch.find(spelled, among: names).map { "did you mean \($0)?" } ?? "'\(line) --help' lists its options")
  }
}
