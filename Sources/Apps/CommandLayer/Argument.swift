/// A positional argument of a command.
public struct Argument: Sendable {
  public enum Count: Sendable {
    case one, optional, oneOrMore, any
  }

  /// What completion offers for it.
  public enum Kind: Sendable {
    case file, text
    /// One of the listed words; anything else is refused with the nearest of them.
    case choice([String])
  }

  /// The name in help: `"FILE"`.
  public var name: String
  public var count: Count
  public var kind: Kind
  public var help: String

  public init(_ name: String, _ count: Count = .one, kind: Kind = .file, _ help: String) {
    self.name = name
    self.count = count
    self.kind = kind
    self.help = help
  }

  var usage: String {
    switch count {
    case .one: name
    case .optional: "[\(name)]"
    case .oneOrMore: "\(name)…"
    case .any: "[\(name)…]"
    }
  }

  var minimum: Int { count == .one || count == .oneOrMore ? 1 : 0 }
  var isList: Bool { count == .oneOrMore || count == .any }
}
