/// The fields that events may have: a closed set, each with one type. There is no field for a path, a prompt, a caption,
/// a host name or a free text of an error, so none can be logged or sent.
public enum EventField: String, CaseIterable, Sendable {
  case amount, attempt, attempts, bytes, category, code, confidence, count, crashes, creator, digest, durationMilliseconds, events,
    feature, firstSequence, frames, jobs, job, label, lastSequence, licence, log10FalsePositive, mediaMilliseconds, output, permille,
    priority, purpose, quarantined, retention, schedule, state, task, tier, verdict, watermark, worker

  /// What a value of this field may be.
  public var type: EventFieldType {
    switch self {
    case .job, .worker, .output, .creator, .watermark, .schedule, .licence: .identifier
    case .label: .label
    case .digest: .digest
    case .task: .choice(["probe", "frames", "encode", "render", "embed", "detect", "variants", "other"])
    case .code:
      .choice([
        "none", "usage", "damaged", "incomplete", "missing", "unavailable", "bug", "exists", "io", "retryLater", "refused",
        "configuration", "cancelled", "crashed", "timeout", "valid", "grace", "expired", "otherDevice", "forged", "clockRolledBack",
        "deactivated", "entitlementMissing", "offline",
      ])
    case .verdict: .choice(["allow", "refuse", "review"])
    case .category: .choice(["none", "sexual", "violence", "minors", "hate", "selfHarm", "illegal", "copyright", "other"])
    case .state: .choice(["on", "off"])
    case .purpose: .choice(["reporting", "analytics", "licence", "telemetry"])
    case .retention: .choice(RetentionClass.allCases.map(\.rawValue))
    case .feature, .tier: .identifier
    default: .integer
    }
  }
}

/// The types of event fields.
public enum EventFieldType: Hashable, Sendable {
  /// A 64-bit number, a time in the unit that the field's name says.
  case integer
  /// An opaque id: 1 to 64 of `A-Z a-z 0-9 -`. No dot, slash, blank or other character that a file name or a sentence has.
  case identifier
  /// A name that the user chose: 1 to 64 characters without control characters or slashes.
  case label
  /// 64 lower-case hexadecimal digits.
  case digest
  /// One of these words.
  case choice([String])

  /// Whether `value` is of this type.
  public func accepts(_ value: EventValue) -> Bool {
    switch (self, value) {
    case (.integer, .integer): true
    case (.identifier, .text(let text)): Self.isIdentifier(text)
    case (.label, .text(let text)): Self.isLabel(text)
    case (.digest, .text(let text)):
      text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    case (.choice(let words), .text(let text)): words.contains(text)
    default: false
    }
  }

  static func isIdentifier(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 }
  }

  static func isLabel(_ text: String) -> Bool {
    (1...64).contains(text.count) && text.utf8.count <= 256
      && text.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value) && $0 != "/" && $0 != "\\"
      }
  }
}

/// The value of a field.
public enum EventValue: Hashable, Sendable {
  case integer(Int64)
  case text(String)
}

extension EventValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .text(value) }
}
