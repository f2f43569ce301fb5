/// An option of a command: `--name VALUE`, or `--name` alone for a flag.
public struct Option: Sendable {
  /// What may follow the option.
  public enum Value: Sendable {
    /// Nothing: the option is on or off.
    case flag
    /// Any text; `placeholder` stands for it in help: `"GRAPH"`.
    case text(_ placeholder: String)
    /// A whole number in `range`.
    case integer(_ placeholder: String, in: ClosedRange<Int> = 0...Int.max)
    /// A finite decimal number in `range`.
    case number(_ placeholder: String, in: ClosedRange<Double>)
    /// One of the listed words.
    case choice([String])
    /// A path of a file, for completion.
    case file(_ placeholder: String)
    /// A path of a folder, for completion.
    case directory(_ placeholder: String)
  }

  /// The long name without dashes: `"max-size"`.
  public var name: String
  /// A one-letter form: `"o"` for `-o`. Default: none.
  public var short: Character?
  public var value: Value
  /// What holds when the option is absent, as help prints it. Every option states it.
  public var defaultText: String
  /// One or two sentences.
  public var help: String
  /// Whether the option may be given several times. Default: no.
  public var repeats: Bool

  public init(_ name: String, short: Character? = nil, _ value: Value, default defaultText: String, repeats: Bool = false, _ help: String) {
    self.name = name
    self.short = short
    self.value = value
    self.defaultText = defaultText
    self.repeats = repeats
    self.help = help
  }

  /// An option that is off unless given.
  public static func flag(_ name: String, short: Character? = nil, _ help: String) -> Option {
    Option(name, short: short, .flag, default: "off", help)
  }

  /// The placeholder that help prints after the name; nil for a flag.
  public var placeholder: String? {
    switch value {
    case .flag: nil
    case .text(let name), .integer(let name, _), .number(let name, _), .file(let name), .directory(let name): name
    case .choice(let words): words.joined(separator: "|")
    }
  }

  /// `"--output FILE, -o FILE"`'s short form for usage lines: `"-o FILE"`.
  var usage: String {
    let spelled = short.map { "-\($0)" } ?? "--\(name)"
    let text = placeholder.map { "\(spelled) \($0)" } ?? spelled
    return "[\(text)]" + (repeats ? "…" : "")
  }
}
