/// What a licence is worth now.
public enum LicenceStatus: Hashable, Sendable {
  /// Good until it expires.
  case valid
  /// Expired, and no server could be reached since; good until the time given (seconds since 1970).
  case grace(until: Int64)
  /// Expired, and the grace too.
  case expired
  /// Bound to another device.
  case otherDevice
  /// Not signed by a key that is trusted, or changed.
  case forged
  /// The clock shows a time before one that was already seen.
  case clockRolledBack
  /// Given back, or revoked by the server.
  case deactivated
  /// There is none on this machine.
  case missing

  /// Whether work may go on.
  public var isGood: Bool {
    switch self {
    case .valid, .grace: true
    default: false
    }
  }

  /// The word for logs and scripts.
  public var name: String {
    switch self {
    case .valid: "valid"
    case .grace: "grace"
    case .expired: "expired"
    case .otherDevice: "otherDevice"
    case .forged: "forged"
    case .clockRolledBack: "clockRolledBack"
    case .deactivated: "deactivated"
    case .missing: "missing"
    }
  }
}
