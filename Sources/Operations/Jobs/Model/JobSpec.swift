import MetadataLog
import Transfer

/// A piece of work to be done once: what, on which files, when, and how often it may be tried.
public struct JobSpec: Hashable, Sendable {
  /// Which handler does it: `"render"`, `"encode"` …
  public var kind: String
  /// What the handler is told: a JSON document of the kind's own shape. Keys and tokens stand in it by reference only.
  public var payload: [UInt8]
  /// A label the user chose, never derived from a file name; at most 64 characters. Default none.
  public var name: String?
  /// The project it belongs to; erasure works by project. Default `"default"`.
  public var project = "default"
  /// Paths, or `https://` URLs (with `#sha256=` and the hash, where it is known), by logical name. Default none.
  public var inputs: [String: String] = [:]
  /// Final paths, or `https://` URLs that take a PUT, by logical name. Default none.
  public var outputs: [String: String] = [:]
  /// Whether outputs that exist may be replaced. Default false: they are an error.
  public var overwrite = false
  /// The class of slot it takes: `cpu`, `encode`, `io`, `net` or one of the embedder's. Default `cpu`.
  public var slotClass = "cpu"
  /// Higher runs first; equal ones in the order of submission. Default 0.
  public var priority = 0
  /// While a job with this key is not finished, submitting another returns that one. Default none.
  public var uniqueKey: String?
  /// Not before this time, in microseconds since 1970. Default at once.
  public var notBefore: Int64?
  /// Jobs that must be done before; if one fails or is cancelled, this one is cancelled. Default none.
  public var after: [JobID] = []
  /// Seconds an attempt may run. Default 6 hours.
  public var timeoutSeconds = 21_600.0
  public var retry = RetryPolicy()
  /// How often it may kill its worker before it is quarantined. Default 3.
  public var crashLimit = 3
  /// For listing and filtering. Default none.
  public var labels: [String: String] = [:]

  public init(kind: String, payload: [UInt8] = []) {
    self.kind = kind
    self.payload = payload
  }

  /// Throws `invalidSpec` when a field is out of its bounds.
  public func validate() throws(JobsError) {
    func refuse(_ reason: String) -> JobsError { JobsError(.invalidSpec, "cannot submit a job", reason: reason) }
    guard JobSpec.isIdentifier(kind) else { throw refuse("kind must be 1–64 of a-z, A-Z, 0-9, '.', '-', '_'") }
    guard JobSpec.isIdentifier(slotClass) else { throw refuse("class must be 1–64 of a-z, A-Z, 0-9, '.', '-', '_'") }
    guard JobSpec.isIdentifier(project) else { throw refuse("project must be 1–64 of a-z, A-Z, 0-9, '.', '-', '_'") }
    guard payload.count <= 4 << 20 else { throw refuse("the payload has \(payload.count) bytes, more than 4 MiB") }
    if let name, !EventField.label.type.accepts(.text(name)) {
      // It is logged and may be reported: a path has no place in it.
      throw refuse("the name must be 1–64 characters without slashes and control characters")
    }
    guard (uniqueKey?.utf8.count ?? 0) <= 256, uniqueKey != "" else { throw refuse("uniqueKey must be 1–256 bytes") }
    guard timeoutSeconds > 0, timeoutSeconds <= 31_536_000 else { throw refuse("timeoutSeconds must be above 0 and at most a year") }
    guard (1...1000).contains(retry.attempts) else { throw refuse("retry.attempts must be 1–1000") }
    guard retry.baseSeconds >= 0, retry.capSeconds >= 0, retry.capSeconds <= 31_536_000 else {
      throw refuse("retry.baseSeconds and capSeconds must not be negative")
    }
    guard crashLimit >= 1 else { throw refuse("crashLimit must be 1 or more") }
    guard abs(priority) <= 1_000_000 else { throw refuse("priority must lie between -1000000 and 1000000") }
    guard labels.count <= 64, after.count <= 1000, inputs.count <= 10_000, outputs.count <= 10_000 else {
      throw refuse("too many labels (64), jobs to wait for (1000), inputs or outputs (10000)")
    }
    for (key, value) in labels where !JobSpec.isIdentifier(key) || value.count > 64 {
      throw refuse("label \(key.prefix(64)) needs a key of 1–64 letters, digits, '.', '-', '_' and a value of at most 64 characters")
    }
    let texts = [name, uniqueKey].compactMap { $0 } + labels.values + inputs.keys + inputs.values + outputs.keys + outputs.values
    if texts.contains(where: { $0.utf8.contains(0) }) { throw refuse("a text contains a NUL byte") }
    for location in Array(inputs.values) + outputs.values where RemoteFiles.isRemote(location) {
      do throws(TransferError) { _ = try RemoteFiles.parse(location) } catch { throw refuse("of a URL: \(error.reason)") }
    }
    for path in inputs.values where path.isEmpty { throw refuse("an input has an empty path") }
    for path in outputs.values where path.isEmpty || path.hasSuffix("/") { throw refuse("an output needs a file name") }
    guard Set(outputs.values).count == outputs.count else { throw refuse("two outputs have the same path") }
  }

  static func isIdentifier(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95: true
        default: false
        }
      }
  }
}

/// A job's number in its store; never used twice.
public struct JobID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
  public let rawValue: Int64

  public init(_ rawValue: Int64) { self.rawValue = rawValue }

  public init?(_ text: String) {
    guard let value = Int64(text), value > 0 else { return nil }
    rawValue = value
  }

  public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(Int64.self) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  public var description: String { String(rawValue) }

  public static func < (a: JobID, b: JobID) -> Bool { a.rawValue < b.rawValue }
}
