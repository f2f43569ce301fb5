/// The other side of the worker socket sent something that the protocol does not allow.
struct ProtocolViolation: Error, Hashable {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}
