public import MediaCore

/// One parsed command line, with what a command needs to run.
///
/// Asking for an option or argument that the command does not declare is a programming error and traps.
public struct Invocation: Sendable {
  public let command: Command
  /// The words that led to the command: `["watermark", "embed"]`.
  public let path: [String]
  public let console: Console
  /// Set by the first SIGINT or SIGTERM.
  public let cancellation: Cancellation
  let arguments: [String: [String]]
  let options: [String: [String]]

  // MARK: Arguments

  /// The values of a list argument, in order.
  public func list(_ name: String) -> [String] {
    precondition(command.arguments.contains { $0.name == name }, "undeclared argument \(name)")
    return arguments[name] ?? []
  }

  /// The value of a single argument; nil only when it is optional.
  public func argument(_ name: String) -> String? { list(name).first }

  /// The value of a mandatory argument.
  public func required(_ name: String) -> String {
    guard let value = argument(name) else { preconditionFailure("the parser guarantees \(name)") }
    return value
  }

  /// Every file that the command line names: arguments, and the options that take one, but for those called `left`.
  public func files(leavingOut left: String) -> [String] {
    let named = command.arguments.flatMap { argument in
      if case .file = argument.kind { list(argument.name) } else { [String]() }
    }
    return command.allOptions.reduce(into: named) { result, option in
      if case .file = option.value, option.name != left { result += values(option.name) }
    }
  }

  // MARK: Options

  /// All values given for an option, in order; flags have one empty value each time they are given.
  public func values(_ name: String) -> [String] {
    precondition(command.allOptions.contains { $0.name == name }, "undeclared option \(name)")
    return options[name] ?? []
  }

  public func flag(_ name: String) -> Bool { !values(name).isEmpty }

  /// The value of an option that was given.
  public func value(_ name: String) -> String? { values(name).last }

  /// Whether the command takes the option at all and it was given.
  public func has(_ name: String) -> Bool { options[name]?.isEmpty == false }

  /// The value of an option without which the command cannot run.
  public func needed(_ name: String, _ advice: String) throws(MediaError) -> String {
    if let value = value(name) { return value }
    let option = command.allOptions.first { $0.name == name }
    throw MediaError(.usage, commandLine, reason: "\(option?.short.map { "-\($0)" } ?? "--\(name)") is needed", advice: advice)
  }

  /// The value of an `.integer` option; the parser has checked form and range.
  public func integer(_ name: String) -> Int? { value(name).flatMap { Int($0) } }

  /// The value of a `.number` option; the parser has checked form and range.
  public func number(_ name: String) -> Double? { value(name).flatMap { Double($0) } }

  /// The `NAME=VALUE` pairs of a repeated option, in order.
  public func pairs(_ name: String) throws(MediaError) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    for text in values(name) {
      guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
        throw MediaError(.usage, "bad option --\(name)", reason: "'\(text)' is not NAME=VALUE", advice: "as in --\(name) name=value")
      }
      pairs.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
    }
    return pairs
  }

  /// The value of an option that is a time: `1.5`, `250ms`, `00:01:02.5` or `45f`.
  public func position(_ name: String) throws(MediaError) -> TimePosition? {
    guard let text = value(name) else { return nil }
    return try Invocation.position(text, "bad option --\(name)")
  }

  public static func position(_ text: some StringProtocol, _ operation: String) throws(MediaError) -> TimePosition {
    guard let position = TimePosition(text) else {
      throw MediaError(.usage, operation, reason: "'\(text)' is not a time", advice: "as in 1.5, 1.5s, 250ms, 00:01:02.500 or 45f")
    }
    return position
  }

  public var isJSON: Bool { has("json") }
  public var isVerbose: Bool { has("verbose") }
  public var isQuiet: Bool { has("quiet") }
  public var commandLine: String { path.joined(separator: " ") }
}
