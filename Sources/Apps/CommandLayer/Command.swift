/// A command as a value: what it is called, what it takes, and what it does.
///
/// Help, the manual page, shell completion and the parser all derive from this one declaration, so they cannot
/// disagree. A command either has `subcommands` or an `action`; the tool itself is the root command.
public struct Command: Sendable {
  /// The work of a command. Returns the exit status: 0, or that of the first item that failed when the command has
  /// already reported it. A thrown error is printed by `Tool` and decides the status.
  public typealias Action = @Sendable (Invocation) throws -> Int32

  /// The word typed: `"probe"`.
  public var name: String
  /// One line without a full stop, for lists.
  public var summary: String
  /// Paragraphs for the help text, separated by empty lines. Lines that begin with two spaces keep their layout. Default: none.
  public var discussion: String
  public var arguments: [Argument]
  /// The command's own options.
  public var options: [Option]
  /// Options shared with other commands, listed under their own heading. Default: `CommonOptions.console`.
  public var commonOptions: [Option]
  public var examples: [Example]
  public var subcommands: [Command]
  public var action: Action?

  public struct Example: Sendable {
    public var line: String
    public var meaning: String

    public init(_ line: String, _ meaning: String) {
      self.line = line
      self.meaning = meaning
    }
  }

  /// A command that does something.
  public init(
    _ name: String, summary: String, discussion: String = "", arguments: [Argument] = [], options: [Option] = [],
    commonOptions: [Option] = CommonOptions.console, examples: [Example] = [], action: @escaping Action
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    self.arguments = arguments
    self.options = options
    self.commonOptions = commonOptions
    self.examples = examples
    subcommands = []
    self.action = action
  }

  /// A command that groups others.
  public init(_ name: String, summary: String, discussion: String = "", examples: [Example] = [], subcommands: [Command]) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    arguments = []
    options = []
    commonOptions = []
    self.examples = examples
    self.subcommands = subcommands
    action = nil
  }

  /// Own options, then the common ones. An own option hides a common one of the same name.
  public var allOptions: [Option] {
    options + commonOptions.filter { common in !options.contains { $0.name == common.name } }
  }
}
