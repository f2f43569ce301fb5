public import MediaCore

/// The members of an object while it is read: every key that is asked for is known, and `finish()` reports the others.
public struct JSONFields: Sendable {
  /// The object itself.
  public let node: JSONNode
  private let members: [(key: String, node: JSONNode)]
  private var known: [String] = []

  init(node: JSONNode, members: [(key: String, node: JSONNode)]) {
    self.node = node
    self.members = members
  }

  public var keys: [String] { members.map(\.key) }

  /// Whether the key is present; does not make it known.
  public func contains(_ key: String) -> Bool { members.contains { $0.key == key } }

  /// The value at `key`, or nil when the key is absent.
  public mutating func optional(_ key: String) -> JSONNode? {
    known.append(key)
    return members.first { $0.key == key }?.node
  }

  /// The value at `key`; throws when the key is absent.
  public mutating func required(_ key: String) throws(MediaError) -> JSONNode {
    guard let value = optional(key) else { throw node.error("the key \"\(key)\" is missing") }
    return value
  }

  /// Makes keys known without reading them.
  public mutating func allow(_ keys: String...) { known += keys }

  /// Throws at the first key that nothing asked for, with the nearest known one.
  public func finish() throws(MediaError) {
    guard case .object(let values) = node.value.content else { return }
    for member in values where !known.contains(member.key) {
      let remaining = known.filter { !contains($0) }
      let nearest = NearestMatch.find(member.key, among: remaining) ?? NearestMatch.find(member.key, among: known)
      let sorted = known.sorted()
      throw node.source.error(
        at: member.keyPosition, path: node.path.appending(member.key),
        "unknown key \(JSON.string(String(member.key.prefix(60))).text(indent: nil))",
        advice: nearest.map { "did you mean \"\($0)\"?" } ?? "known here: \(sorted.joined(separator: ", "))")
    }
  }
}
