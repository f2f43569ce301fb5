/// The way from the top of a document to a value: `sequence[2].trim`.
public struct JSONPath: Hashable, Sendable {
  public enum Component: Hashable, Sendable {
    case key(String)
    case index(Int)
  }

  public var components: [Component]

  /// The document itself.
  public static let root = JSONPath(components: [])

  public init(components: [Component]) { self.components = components }

  public func appending(_ key: String) -> JSONPath { JSONPath(components: components + [.key(key)]) }
  public func appending(_ index: Int) -> JSONPath { JSONPath(components: components + [.index(index)]) }
}

extension JSONPath: CustomStringConvertible {
  /// `sequence[2].trim`; keys that are not plain words are quoted: `["two words"]`. The root is `top level`.
  public var description: String {
    if components.isEmpty { return "top level" }
    var text = ""
    for component in components {
      switch component {
      case .index(let index): text += "[\(index)]"
      case .key(let key):
        let isPlain = !key.isEmpty && key.utf8.allSatisfy(JSONPath.isWordByte)
        text += isPlain ? (text.isEmpty ? key : "." + key) : "[\(JSON.string(key).text(indent: nil))]"
      }
    }
    return text
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"):
      true
    default: byte >= 0x80
    }
  }
}
